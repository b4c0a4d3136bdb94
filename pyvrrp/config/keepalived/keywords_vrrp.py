"""Keywords of virtual routers and of what they track."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyvrrp.config.keepalived.keyword import Keyword
from pyvrrp.config.keepalived.rows import accepted, better, different, not_yet, same

_LEASED: Final = "under a lease that ends with the daemon"
_PEERS: Final = "one that is named twice, or is this node itself, is left out and said"
_STRICT: Final = "in node.yaml what it forbids is an error"
_EXTRA: Final = "garp_master_refresh announces all addresses, on whatever interface they are"
_ROUTES: Final = "what somebody removes is put back, and leftovers of a daemon that was killed are cleared"
_NOTIFY: Final = "one script after the other, in order, with a time limit; more is said in its environment"
_HMAC: Final = "the instance is left out: its peers would not believe it"
_STILL: Final = "always so, with preempt too: a master that stood still so long goes back to BACKUP"
_STATIC: Final = "an address that stays changes no priority"
_BFD: Final = "there is no BFD"
_POLLED: Final = "processes are looked for again and again, the kernel is not asked to tell"

_TRACKING: Final = (
    same("track_interface", entries=True),
    same("track_script", entries=True),
    same("track_file", entries=True),
    same("track_process", entries=True),
    not_yet("track_bfd", 0, _BFD, entries=True),
)
_NOTIFYING: Final = (
    better("notify", 1, _NOTIFY),
    better("notify_master", 1, _NOTIFY),
    better("notify_backup", 1, _NOTIFY),
    better("notify_fault", 1, _NOTIFY),
    better("notify_stop", 1, _NOTIFY),
    same("notify_priority_changes"),
    same("smtp_alert"),
)

VRRP: Final[Mapping[str, tuple[Keyword, ...]]] = {
    "vrrp_instance": (
        same("state", 1),
        same("interface", 1),
        better("virtual_router_id", 1, "a reload that changes it leaves the addresses of a MASTER where they are"),
        same("priority", 1),
        same("version", 1, "an IPv6 instance that says 2 is left out: VRRPv2 has no IPv6"),
        same("advert_int", 1),
        same("down_timer_adverts", 1),
        same("authentication", opens="authentication"),
        not_yet("auth_hmac", 0, _HMAC, opens="auth_hmac", since="2.4"),
        better("virtual_ipaddress", 0, _LEASED, entries=True),
        better("virtual_ipaddress_excluded", 0, _LEASED, entries=True),
        accepted("no_virtual_ipaddress", 0, "an instance without addresses is warned of all the same", since="2.2.8"),
        better("virtual_routes", 0, _ROUTES, entries=True),
        better("virtual_rules", 0, _ROUTES, entries=True),
        same("promote_secondaries"),
        same("accept"),
        same("no_accept"),
        same("nopreempt"),
        same("preempt"),
        same("preempt_delay", 1),
        same("strict_mode", 0, _STRICT),
        better("skip_check_adv_addr", 0, "off turns it off"),
        same("lower_prio_no_advert"),
        same("higher_prio_send_advert"),
        same("owner_ignore_adverts", since="2.3.3"),
        better("timer_expired_backup", 0, _STILL, since="2.2.8"),
        better("thread_timer_expired", 0, _STILL, since="2.3.2"),
        same("v3_checksum_as_v2", 0, "adverts with either checksum are taken", since="2.2.8"),
        # Tracking and telling
        same("dont_track_primary"),
        *_TRACKING,
        *_NOTIFYING,
        better("notify_deleted", 0, _NOTIFY),
        better("notify_master_rx_lower_pri", 1, _NOTIFY),
        # Gratuitous ARP
        same("garp_master_delay", 1),
        same("garp_master_repeat", 1),
        same("garp_master_refresh", 1),
        same("garp_master_refresh_repeat", 1),
        same("garp_lower_prio_delay", 1),
        same("garp_lower_prio_repeat", 1),
        not_yet("garp_extra_if", 0, _EXTRA),
        not_yet("vmac_garp_intvl", 0, _EXTRA),
        # Where adverts come from and go to
        same("mcast_src_ip", 1),
        same("track_src_ip"),
        same("mcast_dst_ip", 1),
        better("unicast_peer", 0, _PEERS, entries=True),
        same("unicast_src_ip", 1),
        same("unicast_fault_no_peer"),
        same("unicast_ttl", 1),
        same("check_unicast_src"),
        accepted("old_unicast_checksum", 0, "adverts with either checksum are taken, and none is sent as of old"),
        not_yet("vrf", 1, "an instance has an interface"),
        same("native_ipv6"),
        # Virtual MACs
        same("use_vmac"),
        not_yet("use_vmac_addr", 0, "addresses on other interfaces have no virtual MAC"),
        same("vmac_xmit_base"),
        not_yet("use_ipvlan", 0, "there are no IPVLANs yet; the interface itself is used"),
        # The rest
        accepted("kernel_rx_buf_size", 0, "pyvrrpd sizes the buffers of its sockets itself"),
        accepted("linkbeat_use_polling", 0, "the kernel tells of every change of a link, nothing is polled"),
        accepted("lvs_sync_daemon_interface", 1, "IPVS is not programmed yet"),
        accepted("debug", 1, "keepalived does nothing with it either"),
    ),
    "authentication": (
        same("auth_type", 1, "PASS; with AH the instance is left out"),
        same("auth_pass", 1, "its first 8 bytes; never logged, never in a dump"),
    ),
    "auth_hmac": (
        not_yet("key", 2, _HMAC, since="2.4"),
        not_yet("active_key", 1, _HMAC, since="2.4"),
        not_yet("anti_replay", 1, _HMAC, since="2.4"),
        not_yet("time_window", 1, _HMAC, since="2.4"),
        not_yet("mode", 1, _HMAC, since="2.4"),
    ),
    "vrrp_script": (
        same("script"),
        same("interval", 1),
        same("timeout", 1),
        same("weight", 1),
        same("rise", 1),
        same("fall", 1),
        same("user", 1),
        same("init_fail"),
    ),
    "vrrp_track_process": (
        different("process", 1, _POLLED),
        not_yet("param_match", 0, "a process's arguments must be exactly these"),
        same("weight"),
        same("quorum", 1),
        same("quorum_max", 1),
        different("fork_delay", 1, "in whole runs of the check"),
        different("terminate_delay", 1, "in whole runs of the check"),
        different("delay", 1, "in whole runs of the check"),
        same("full_command"),
    ),
    "track_file": (
        same("file"),
        same("weight"),
        not_yet("init_file", 0, "the file is not made, nor its number set"),
    ),
    "vrrp_sync_group": (
        same("group", entries=True),
        *_TRACKING,
        *_NOTIFYING,
        same("global_tracking", 0, "sync_group_tracking_weight says the same"),
        same("sync_group_tracking_weight"),
    ),
    "garp_group": (
        same("garp_interval", 1),
        same("gna_interval", 1),
        same("interface", 1),
        same("interfaces", 0, entries=True),
    ),
    "track_group": (accepted("group", 0, _STATIC, entries=True),),
    "bfd_instance": (
        # Without its word keepalived crashes.
        not_yet("neighbor_ip", 1, _BFD),
        not_yet("neighbour_ip", 1, _BFD),
        not_yet("source_ip", 1, _BFD),
        not_yet("min_rx", 1, _BFD),
        not_yet("min_tx", 1, _BFD),
        not_yet("idle_tx", 1, _BFD),
        not_yet("multiplier", 1, _BFD),
        not_yet("passive", 0, _BFD),
        not_yet("ttl", 1, _BFD),
        not_yet("hoplimit", 1, _BFD),
        not_yet("max_hops", 1, _BFD),
        not_yet("multihop", 0, _BFD, since="2.3"),
        not_yet("weight", 1, _BFD),
        not_yet("vrrp", 0, _BFD),
        not_yet("checker", 0, _BFD),
    ),
}
