"""Model → core settings, of a database and of the agents' channel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pyvrrp.config.model.checks import MysqlCheck
from pyvrrp.config.model.mysql import Channel, Mysql
from pyvrrp.core.settings import (
    Account,
    ChannelSettings,
    DatabaseSettings,
    DemoteSettings,
    ProbeSettings,
    PromoteSettings,
)


def database(model: Mysql, folder: Path) -> DatabaseSettings:
    """The settings of a database; its files are named as seen from `folder`."""
    own, peer = account(model, folder), model.peer
    return DatabaseSettings(
        account=own,
        peer=None if peer is None else replace(own, socket=beside(folder, peer.socket), host=peer.host, port=peer.port),
        probe=ProbeSettings(**model.probe.model_dump()),
        promote=PromoteSettings(**model.promote.model_dump()),
        demote=DemoteSettings(**model.demote.model_dump()),
        semi_sync=model.semi_sync,
        hold_down=model.hold_down,
        keep_users=tuple(model.keep_users),
    )


def account(model: Mysql | MysqlCheck, folder: Path) -> Account:
    """How a server is reached and logged in to."""
    return Account(
        socket=beside(folder, model.socket),
        host=model.host,
        port=model.port,
        user=model.user,
        password_file=beside(folder, model.password_file),
        defaults_file=beside(folder, model.defaults_file),
    )


def channel(model: Channel, folder: Path) -> ChannelSettings:
    """The settings of the channel."""
    return ChannelSettings(beside(folder, model.key_file), model.listen, model.peer, model.port)


def beside(folder: Path, name: str) -> str:
    """A file of the configuration as the daemon finds it, wherever it works; "" stays that."""
    return str(folder.absolute() / name) if name else ""
