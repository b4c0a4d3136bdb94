"""Model → core settings, of one virtual router."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from pyvrrp.config.model.instance import HeldAddress, Instance
from pyvrrp.config.model.section import TrackedCheck
from pyvrrp.config.model.transport import Peer
from pyvrrp.core import const
from pyvrrp.core.settings import (
    Address,
    DatabaseSettings,
    InstanceSettings,
    Notifications,
    Track,
    UnicastPeer,
    VirtualAddress,
    Vmac,
    automatic_lease,
)

_VMAC_NAMES: Final = {4: "vrrp", 6: "vrrp6"}


def instance(
    name: str,
    model: Instance,
    auth_pass: bytes | None,
    ties: tuple[Track, ...],
    notifications: Notifications,
    database: DatabaseSettings | None,
) -> InstanceSettings:
    """The settings of an instance; `ties` are what relation.py found."""
    vmac, strict = _vmac(model), model.strict_mode
    return InstanceSettings(
        name=name,
        interface=model.interface,
        virtual_router_id=model.virtual_router_id,
        addresses=tuple(held(each, _carrier(each, model, vmac)) for each in model.virtual_ipaddress),
        priority=model.base_priority,
        version=model.vrrp_version,
        advert_int=model.advert_int,
        preempt=not model.nopreempt,
        auth_pass=auth_pass,
        tracks=tracks(model.track_checks) + ties,
        vip_lease=lease(model),
        garp_master_delay=model.garp_master_delay,
        garp_master_repeat=model.garp_master_repeat,
        excluded=tuple(held(each, _carrier(each, model, vmac)) for each in model.virtual_ipaddress_excluded),
        preempt_delay=model.preempt_delay,
        down_timer_adverts=model.down_timer_adverts,
        garp_master_refresh=model.garp_master_refresh,
        garp_master_refresh_repeat=model.garp_master_refresh_repeat,
        garp_lower_prio_delay=0 if strict else _or(model.garp_lower_prio_delay, model.garp_master_delay),
        garp_lower_prio_repeat=0 if strict else int(_or(model.garp_lower_prio_repeat, model.garp_master_repeat)),
        lower_prio_no_advert=model.lower_prio_no_advert or strict,
        higher_prio_send_advert=model.higher_prio_send_advert,
        notifications=notifications,
        family=model.family,
        group=_address(model.mcast_dst_ip),
        source=_address(model.unicast_src_ip or model.mcast_src_ip),
        track_source=model.track_src_ip,
        track_primary=not model.dont_track_primary,
        unicast_peers=tuple(_peer(each) for each in model.unicast_peer),
        unicast_ttl=model.unicast_ttl,
        unicast_fault_no_peer=model.unicast_fault_no_peer,
        check_unicast_src=model.check_unicast_src or any(_bounded(each) for each in model.unicast_peer),
        skip_check_adv_addr=model.skip_check_adv_addr,
        v3_checksum_as_v2=model.v3_checksum_as_v2,
        owner_ignore_adverts=model.owner_ignore_adverts,
        accept=model.accepts,
        promote_secondaries=model.promote_secondaries,
        vmac=vmac,
        routes=tuple(model.virtual_routes),
        rules=tuple(model.virtual_rules),
        list_tolerance=model.vip_list_tolerance,
        duplicate_wait=model.duplicate_wait,
        database=database,
    )


def tracks(items: list[TrackedCheck]) -> tuple[Track, ...]:
    """What a list of tracked checks says."""
    return tuple(Track(name, options.weight, options.reverse) for item in items for name, options in item.items())


def vmac_name(model: Instance) -> str:
    """What the interface of its virtual MAC is called."""
    given = model.use_vmac.interface if model.use_vmac is not None else None
    return given or f"{_VMAC_NAMES[model.family]}.{model.virtual_router_id}"


def _vmac(model: Instance) -> Vmac | None:
    if model.use_vmac is None:
        return None
    mac = model.use_vmac.mac or const.VMAC_PREFIX[model.family] + bytes([model.virtual_router_id])
    return Vmac(vmac_name(model), mac, model.vmac_xmit_base or bool(model.unicast_peer))


def _carrier(model: HeldAddress, instance: Instance, vmac: Vmac | None) -> str:
    """The interface of an address: the virtual MAC's, unless the address is of the other family or elsewhere."""
    interface = model.dev or instance.interface
    ours = interface == instance.interface and model.address.address.version == instance.family
    return vmac.interface if vmac is not None and ours else interface


def held(model: HeldAddress, interface: str) -> VirtualAddress:
    """The settings of an address that is put on an interface."""
    return VirtualAddress(
        interface=interface,
        address=model.address.address,
        prefixlen=model.address.prefixlen,
        label=model.label,
        scope=model.scope,
        broadcast=_address(model.broadcast),
    )


def _address(text: str | None) -> Address | None:
    return None if text is None else ip_address(text)


def _peer(model: Peer) -> UnicastPeer:
    return UnicastPeer(ip_address(model.address), int(_or(model.min_ttl, 0)), int(_or(model.max_ttl, const.TTL)))


def _bounded(peer: Peer) -> bool:
    """Whether its TTLs count, for which its adverts must be told from others'."""
    return peer.min_ttl is not None or peer.max_ttl is not None


def lease(model: Instance) -> int | None:
    """Seconds for which the kernel keeps its addresses, None for ever."""
    if isinstance(model.vip_lease, int):
        return model.vip_lease
    return automatic_lease(model.advert_int, model.down_timer_adverts) if model.vip_lease == "auto" else None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
