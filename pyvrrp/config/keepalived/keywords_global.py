"""Keywords of the file itself and of global_defs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword
from pyvrrp.config.keepalived.rows import accepted, better, different, not_yet, same

_ONE_PROCESS: Final = "there is one process, pyvrrpd"
_SCHEDULING: Final = "how the process is scheduled is said in its service unit (Nice=, CPUAffinity=, …)"
_MEMORY: Final = "the process's memory is not locked"
_BUFFERS: Final = "pyvrrpd sizes the buffers of its sockets itself"
_LINKS: Final = "the kernel tells of every change of a link, nothing is polled"
_IPVS: Final = "IPVS is not programmed yet"
_STATIC: Final = "set when the daemon starts, never moved; what somebody removes is put back"
_FIREWALL: Final = "the rules of no_accept are in a table of nftables that is pyvrrpd's alone"
_EXTRA: Final = "vrrp_garp_master_refresh announces all addresses, on whatever interface they are"
_SNMP: Final = "there is no SNMP"
_DBUS: Final = "there is no D-Bus; pyvrrpctl talks to the daemon"
_ONCE: Final = "no program runs when the daemon starts or ends; its unit's ExecStartPre= and ExecStopPost= can"
_RELOAD_AT: Final = "a reload is asked for with SIGHUP or pyvrrpctl reload"
_DUMPS: Final = "dumps have their usual names and format"
_FIFO: Final = "it stays open over a reload, its reader sees no end of file"
_FIFO_SCRIPT: Final = "it goes on over a reload"
_NAMES: Final = "names of tables are looked up in /etc/iproute2"

GLOBAL: Final[Mapping[str, tuple[Keyword, ...]]] = {
    "root": (
        same("global_defs", opens="global_defs"),
        same("vrrp_instance", opens="vrrp_instance"),
        same("vrrp_sync_group", opens="vrrp_sync_group"),
        same("vrrp_script", 1, opens="vrrp_script"),
        same("vrrp_track_process", 1, opens="vrrp_track_process"),
        same("track_file", 1, opens="track_file"),
        same("vrrp_track_file", 1, "the old name of track_file", opens="track_file"),
        same("virtual_server", 1, "its checkers run, IPVS is not programmed yet", opens="virtual_server"),
        not_yet("virtual_server_group", 1, _IPVS, entries=True),
        not_yet("SSL", 0, "SSL_GET uses no certificate of its own", opens="SSL"),
        same("garp_group", opens="garp_group"),
        same(
            "interface_up_down_delays", 0, "up_delay is down_delay where it is not said, as in the manual", entries=True
        ),
        better("static_ipaddress", 0, _STATIC, entries=True),
        better("static_routes", 0, _STATIC, entries=True),
        better("static_rules", 0, _STATIC, entries=True),
        not_yet("track_group", 0, "an address that stays changes no priority", opens="track_group"),
        # Without its name keepalived crashes.
        not_yet("bfd_instance", 1, "there is no BFD", opens="bfd_instance"),
        same("net_namespace", 0, "the whole daemon works in it"),
        not_yet("net_namespace_ipvs", 0, _IPVS),
        accepted("namespace_with_ipsets", 0, "there are no ipsets"),
        accepted("linkbeat_interfaces", 0, _LINKS, entries=True),
        accepted("linkbeat_use_polling", 0, _LINKS),
        accepted("instance", 0, "the pid file is where the option --pid says"),
        accepted("use_pid_dir", 0, "the pid file is where the option --pid says"),
        accepted("child_wait_time", 1, _ONE_PROCESS),
    ),
    "global_defs": (
        same("router_id"),
        same("default_interface", 0, "of static addresses"),
        same("dynamic_interfaces", 0, "without it an instance waits for its interface, too, and that is an error"),
        # Mail
        same("notification_email", entries=True),
        same("notification_email_from"),
        same("smtp_server", 1),
        same("smtp_helo_name"),
        same("smtp_connect_timeout", 1),
        same("smtp_alert"),
        same("smtp_alert_vrrp"),
        same("smtp_alert_checker"),
        not_yet("no_email_faults", 0, "a mail about FAULT is sent like every other"),
        accepted("no_checker_emails", 0, "always so: a mail tells of servers and quorums, not of single checks"),
        # VRRP
        same("vrrp_version", 1, "an IPv6 instance has 3"),
        same("vrrp_mcast_group4", 1),
        same("vrrp_mcast_group6", 1),
        same("vrrp_startup_delay", 1),
        same("vrrp_delay_after_boot", 1, since="2.4"),
        same("vrrp_down_timer_adverts", 1),
        same("vrrp_lower_prio_no_advert"),
        same("vrrp_higher_prio_send_advert"),
        same("vrrp_garp_master_delay", 1),
        same("vrrp_garp_master_repeat", 1),
        same("vrrp_garp_master_refresh", 1),
        same("vrrp_garp_master_refresh_repeat", 1),
        same("vrrp_garp_lower_prio_delay", 1),
        same("vrrp_garp_lower_prio_repeat", 1),
        same("vrrp_min_garp"),
        same("vrrp_garp_interval", 1),
        same("vrrp_gna_interval", 1),
        not_yet("vrrp_garp_extra_if", 0, _EXTRA),
        not_yet("vrrp_vmac_garp_intvl", 0, _EXTRA),
        same("vrrp_strict"),
        same("vrrp_skip_check_adv_addr"),
        same("vrrp_check_unicast_src"),
        same("vrrp_owner_ignore_adverts", since="2.3.3"),
        same("v3_checksum_as_v2", 0, "adverts with either checksum are taken", since="2.2.8"),
        accepted("log_unknown_vrids", 0, "the kernel passes on no adverts of other virtual routers"),
        same("vmac_prefix", 1),
        not_yet("vmac_addr_prefix", 1, "addresses on other interfaces have no virtual MAC"),
        not_yet("disable_local_igmp", 0, "what the kernel reports of multicast groups stays as it is"),
        different("nftables", 0, "the table is called pyvrrp where it has no name"),
        not_yet("nftables_priority", 1, _FIREWALL),
        not_yet("nftables_counters", 0, _FIREWALL),
        not_yet("nftables_ifindex", 0, _FIREWALL),
        not_yet("vrrp_iptables", 0, _FIREWALL),
        not_yet("vrrp_ipsets", 0, _FIREWALL, since="not in Debian's build"),
        # Scripts and FIFOs
        same("script_user"),
        better("enable_script_security", 0, "it says which part of the path is not safe"),
        accepted("use_symlink_paths", 0, "always so: a path is used as it is written", since="2.3"),
        not_yet("set_supplementary_groups", 0, "a script has the groups user and group only", since="2.4"),
        better("notify_fifo", 0, _FIFO),
        better("notify_fifo_script", 0, _FIFO_SCRIPT),
        better("vrrp_notify_fifo", 0, _FIFO),
        better("vrrp_notify_fifo_script", 0, _FIFO_SCRIPT),
        better("lvs_notify_fifo", 0, _FIFO),
        better("lvs_notify_fifo_script", 0, _FIFO_SCRIPT),
        not_yet("fifo_write_vrrp_states_on_reload", 0, "a reload that changes no state writes nothing"),
        same("vrrp_notify_priority_changes"),
        not_yet("startup_script", 0, _ONCE),
        not_yet("startup_script_timeout", 0, _ONCE),
        not_yet("shutdown_script", 0, _ONCE),
        not_yet("shutdown_script_timeout", 0, _ONCE),
        # Reading and reloading
        same("include_check"),
        better("reload_check_config", 0, "always so: a file with errors is refused, the old configuration goes on"),
        not_yet("reload_time_file", 0, _RELOAD_AT),
        not_yet("reload_repeat", 0, _RELOAD_AT),
        not_yet("reload_file", 0, _RELOAD_AT),
        accepted("random_seed", 1, "${_RANDOM} is drawn anew at each reading"),
        accepted("config_save_dir", 1, "files are not copied at a reload; pyvrrpctl reload says what it changes"),
        accepted("tmp_config_directory", 0, "the configuration is read once, and held in memory"),
        # Dumps
        not_yet("data_use_instance", 0, _DUMPS),
        not_yet("state_dump_file", 0, _DUMPS, since="2.3"),
        not_yet("stats_dump_file", 0, _DUMPS, since="2.3"),
        not_yet("json_dump_file", 0, _DUMPS, since="2.3"),
        not_yet("json_version", 0, _DUMPS, since="2.2.8"),
        # Virtual servers
        accepted("checker_log_all_failures", 0, "the log has what changes, the status every result"),
        not_yet("rs_init_notifies", 0, "the first state of a server is not notified"),
        accepted("lvs_sync_daemon", 0, _IPVS),
        accepted("lvs_timeouts", 0, _IPVS),
        accepted("lvs_flush", 0, _IPVS),
        accepted("lvs_flush_on_stop", 0, _IPVS),
        accepted("lvs_flush_onstop", 0, _IPVS),
        not_yet("nftables_ipvs", 0, _IPVS),
        not_yet("nftables_ipvs_priority", 1, _IPVS),
        not_yet("nftables_ipvs_start_fwmark", 1, _IPVS),
        # Processes
        accepted("process_names", 0, _ONE_PROCESS),
        accepted("process_name", 1, _ONE_PROCESS),
        accepted("vrrp_process_name", 1, _ONE_PROCESS),
        accepted("checker_process_name", 1, _ONE_PROCESS),
        accepted("lvs_process_name", 1, _ONE_PROCESS),
        accepted("bfd_process_name", 1, _ONE_PROCESS),
        accepted("vrrp_priority", 0, _SCHEDULING),
        accepted("checker_priority", 0, _SCHEDULING),
        accepted("bfd_priority", 0, _SCHEDULING),
        accepted("vrrp_rt_priority", 0, _SCHEDULING),
        accepted("checker_rt_priority", 0, _SCHEDULING),
        accepted("bfd_rt_priority", 0, _SCHEDULING),
        accepted("vrrp_rlimit_rttime", 1, _SCHEDULING),
        accepted("checker_rlimit_rttime", 1, _SCHEDULING),
        accepted("bfd_rlimit_rttime", 1, _SCHEDULING),
        accepted("vrrp_rlimit_rtime", 1, _SCHEDULING),
        accepted("checker_rlimit_rtime", 1, _SCHEDULING),
        accepted("bfd_rlimit_rtime", 1, _SCHEDULING),
        accepted("vrrp_cpu_affinity", 0, _SCHEDULING),
        accepted("checker_cpu_affinity", 0, _SCHEDULING),
        accepted("bfd_cpu_affinity", 0, _SCHEDULING),
        accepted("max_auto_priority", 0, _SCHEDULING),
        accepted("min_auto_priority_delay", 0, _SCHEDULING),
        accepted("vrrp_no_swap", 0, _MEMORY),
        accepted("checker_no_swap", 0, _MEMORY),
        accepted("bfd_no_swap", 0, _MEMORY),
        accepted("vrrp_netlink_cmd_rcv_bufs", 0, _BUFFERS),
        accepted("vrrp_netlink_cmd_rcv_bufs_force", 0, _BUFFERS),
        accepted("vrrp_netlink_monitor_rcv_bufs", 0, _BUFFERS),
        accepted("vrrp_netlink_monitor_rcv_bufs_force", 0, _BUFFERS),
        accepted("lvs_netlink_cmd_rcv_bufs", 0, _BUFFERS),
        accepted("lvs_netlink_cmd_rcv_bufs_force", 0, _BUFFERS),
        accepted("lvs_netlink_monitor_rcv_bufs", 0, _BUFFERS),
        accepted("lvs_netlink_monitor_rcv_bufs_force", 0, _BUFFERS),
        accepted("process_monitor_rcv_bufs", 0, _BUFFERS),
        accepted("process_monitor_rcv_bufs_force", 0, _BUFFERS),
        accepted("vrrp_rx_bufs_policy", 0, _BUFFERS),
        accepted("vrrp_rx_bufs_multiplier", 0, _BUFFERS),
        accepted("umask", 1, "the option --umask is honoured"),
        # SNMP, D-Bus, iproute2
        not_yet("snmp_socket", 0, _SNMP),
        not_yet("enable_snmp_vrrp", 0, _SNMP),
        not_yet("enable_snmp_keepalived", 0, _SNMP),
        not_yet("enable_snmp_checker", 0, _SNMP),
        not_yet("enable_snmp_rfc", 0, _SNMP),
        not_yet("enable_snmp_rfcv2", 0, _SNMP),
        not_yet("enable_snmp_rfcv3", 0, _SNMP),
        not_yet("enable_traps", 0, _SNMP),
        not_yet("snmp_vs_stats_update_interval", 1, _SNMP, since="2.3"),
        not_yet("snmp_rs_stats_update_interval", 1, _SNMP, since="2.3"),
        not_yet("enable_dbus", 0, _DBUS),
        not_yet("dbus_service_name", 0, _DBUS),
        not_yet("dbus_no_interface_name", 0, _DBUS, since="2.3"),
        not_yet("iproute_usr_dir", 0, _NAMES, since="2.3"),
        not_yet("iproute_etc_dir", 0, _NAMES, since="2.3"),
    ),
}
