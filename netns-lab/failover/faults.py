"""Everything that is done to a world: how it is done, how it is undone, and whether the writes ought to move for it.

A fault is done to the active node while the writers write. What undoes it goes onto the stack that it is given.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pymysql
from labkit import topology
from labkit.agents import VIP
from labkit.database import DATABASE, PASSWORD, PORT, USER
from labkit.errors import DatabaseError, LabError
from labkit.topology import Host, way
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from failover import pair
from failover.pair import OPERATOR
from failover.world import Node, World

TAKES: Final = 15.0  # seconds for the writes to move; the slowest known case takes eight
PAUSED: Final = 0.5  # seconds; a server may stand still for so long
STALLED, STALLED_SHORTLY = 1.0, 0.3  # seconds without replication before a crash
SINCE: Final = 1.0  # seconds from what somebody did to the standby until the active server dies
ALONE: Final = 5.0  # seconds for a node without another to take over
CUT: Final = 5.0  # seconds that a network stays cut
AWAKE: Final = 2.0  # seconds to look on after something woke up
ASKS: Final = 10  # times that a client asks anew meanwhile
MANY: Final = 200  # connections; more than the server takes
HELD: Final = 2.0  # seconds for which it is full

SQL: Final = "tcp dport 3306", "tcp sport 3306"

Act = Callable[[World, Node, ExitStack], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind. `moves`: whether the writes are to go on on the other node. `look`: seconds to look on if not.

    `agents_live`: both agents are there and run all the time; then there never are two that take writes.
    """

    name: str
    act: Act
    moves: bool
    look: float = 2.0
    agents_live: bool = True

    @property
    def patience(self) -> float:
        """Seconds to wait for a row on the other node."""
        return TAKES if self.moves else self.look


# --- the server -------------------------------------------------------------------------------------------------------


def kill(world: World, victim: Node, undo: ExitStack) -> None:
    """The server dies, and is started again afterwards."""
    undo.callback(world.restart_server, victim)
    world.mark()
    world.kill_server(victim)


def stop(world: World, victim: Node, undo: ExitStack) -> None:
    """The server stands still until the writes have moved, and then wakes up."""
    undo.callback(world.signal_server, victim, signal.SIGCONT)
    world.mark()
    world.signal_server(victim, signal.SIGSTOP)


def stop_and_wake(world: World, victim: Node, undo: ExitStack) -> None:
    """The same, and it wakes up while the writers write."""
    stop(world, victim, undo)
    _wake(world, victim, undo)


def pause(world: World, victim: Node, undo: ExitStack) -> None:
    """The server stands still for a moment."""
    stop(world, victim, undo)
    time.sleep(PAUSED)
    undo.close()


def fill(world: World, victim: Node, undo: ExitStack) -> None:
    """The disk is full. The server would notice only after a minute that there is room again."""
    undo.callback(world.restart_server, victim)
    undo.callback(world.empty_disk, victim)
    world.mark()
    world.fill_disk(victim)


def crowd(world: World, victim: Node, undo: ExitStack) -> None:
    """Somebody takes all connections there are: error 1040 for everybody else."""
    undo.enter_context(_crowd(world.clients[0], victim))
    time.sleep(HELD)


# --- replication ------------------------------------------------------------------------------------------------------


def stall(world: World, victim: Node, undo: ExitStack) -> None:
    """For a second nothing is replicated, and then the server dies."""
    _stall(world, victim, undo, STALLED)


def stall_shortly(world: World, victim: Node, undo: ExitStack) -> None:
    """The same for a shorter while."""
    _stall(world, victim, undo, STALLED_SHORTLY)


def _stall(world: World, victim: Node, undo: ExitStack, seconds: float) -> None:
    undo.callback(world.network.drop)
    standby = world.other(victim)
    world.network.drop(
        *(way(*ends, what) for ends in ((victim.host, standby.host), (standby.host, victim.host)) for what in SQL)
    )
    time.sleep(seconds)
    kill(world, victim, undo)


def stop_replication(world: World, victim: Node, undo: ExitStack) -> None:
    """Somebody stops replication on the standby; a while later the server dies."""
    _halt(world, victim, undo, "slave")


def stop_applying(world: World, victim: Node, undo: ExitStack) -> None:
    """The standby receives and does not apply; a while later the server dies."""
    _halt(world, victim, undo, "slave sql_thread")


def _halt(world: World, victim: Node, undo: ExitStack, what: str) -> None:
    standby = world.other(victim).server
    undo.callback(standby.execute, f"start {what}")
    standby.execute(f"stop {what}")
    time.sleep(SINCE)
    kill(world, victim, undo)


def stray(world: World, victim: Node, undo: ExitStack) -> None:
    """Somebody writes on the standby, what only root can; a while later the server dies."""
    world.other(victim).server.execute(f"update {pair.BULK} set n = n + 1 where id = 1")
    time.sleep(SINCE)
    kill(world, victim, undo)


# --- handing over -----------------------------------------------------------------------------------------------------


def hand_over(world: World, victim: Node, undo: ExitStack) -> None:
    """The operator wants the other node: with the agent's own command, else by stopping the agent."""
    world.mark()
    world.answer = victim.agent.switchover()
    if not world.answer:
        undo.callback(world.start_agent, victim)
        world.stop_agent(victim)


def hand_over_during_update(world: World, victim: Node, undo: ExitStack) -> None:
    """The same, while a statement runs that would take ten seconds."""
    _busy(world, undo, f"update {pair.BULK} set n = n + 1 where sleep(0.005) = 0")
    hand_over(world, victim, undo)


def hand_over_during_lock(world: World, victim: Node, undo: ExitStack) -> None:
    """The same, while somebody has locked a table and does nothing."""
    _busy(world, undo, f"lock tables {pair.BULK} write")
    hand_over(world, victim, undo)


# --- agents, networks, power ------------------------------------------------------------------------------------------


def kill_agent(world: World, victim: Node, undo: ExitStack) -> None:
    """The agent dies; its server does not."""
    undo.callback(world.start_agent, victim)
    world.mark()
    world.kill_agent(victim)


def stop_agent(world: World, victim: Node, undo: ExitStack) -> None:
    """The agent stands still until the writes have moved, and then wakes up and believes to be master."""
    undo.callback(world.signal_agent, victim, signal.SIGCONT)
    world.mark()
    world.signal_agent(victim, signal.SIGSTOP)
    _wake(world, victim, undo)


def part(world: World, victim: Node, undo: ExitStack) -> None:
    """The nodes do not reach each other, the clients reach both."""
    standby = world.other(victim).host
    _cut(world, undo, *_both_ways(victim.host, standby))


def part_and_ask(world: World, victim: Node, undo: ExitStack) -> None:
    """The same, and one client asks the link again and again who has the VIP, as one does that was quiet for long."""
    _sever(world, undo, *_both_ways(victim.host, world.other(victim).host))
    for _ in range(ASKS):
        time.sleep(CUT / ASKS)
        world.clients[1].run(["ip", "neighbour", "flush", "to", VIP])
    undo.close()


def split(world: World, victim: Node, undo: ExitStack) -> None:
    """The network falls into two halves: the active node with one client, the standby with the other one."""
    near, far = (victim.host, world.clients[0]), (world.other(victim).host, world.clients[1])
    _cut(world, undo, *(ends for one in near for other in far for ends in _both_ways(one, other)))


def isolate(world: World, victim: Node, undo: ExitStack) -> None:
    """No client reaches the active node; the nodes reach each other."""
    _cut(world, undo, *(ends for client in world.clients for ends in _both_ways(victim.host, client)))


def isolate_one(world: World, victim: Node, undo: ExitStack) -> None:
    """One client does not reach the active node; the other one does, and the nodes reach each other."""
    _cut(world, undo, *_both_ways(victim.host, world.clients[0]))


def deafen_standby(world: World, victim: Node, undo: ExitStack) -> None:
    """The standby hears nothing of the active node, which hears it."""
    _cut(world, undo, (victim.host, world.other(victim).host))


def deafen_active(world: World, victim: Node, undo: ExitStack) -> None:
    """The active node hears nothing of the standby, which hears it."""
    _cut(world, undo, (world.other(victim).host, victim.host))


def take_turns(world: World, victim: Node, undo: ExitStack) -> None:
    """Both agents are stopped, the active one's first; the first comes back alone, and the other one has more."""
    standby = world.other(victim)
    undo.callback(world.start_agent, standby)
    world.stop_agent(victim)
    _wait_moved(world, victim)
    time.sleep(SINCE)
    world.stop_agent(standby)
    world.start_agent(victim)
    time.sleep(ALONE)


def power_off(world: World, victim: Node, undo: ExitStack) -> None:
    """The node loses its power, and boots afterwards."""
    undo.callback(world.power_on, victim)
    world.mark()
    world.power_off(victim)


def restart_peer(world: World, victim: Node, _undo: ExitStack) -> None:
    """The standby's server and agent are stopped and started."""
    standby = world.other(victim)
    world.stop_agent(standby)
    world.signal_server(standby, signal.SIGTERM)
    if standby.mysqld is not None:
        standby.mysqld.wait_gone(10.0)
    world.restart_server(standby)
    world.start_agent(standby)


KILL: Final = Fault("mysqld SIGKILL", kill, moves=True)
STOP: Final = Fault("mysqld SIGSTOP", stop, moves=True)
PAUSE: Final = Fault("mysqld SIGSTOP for 500 ms", pause, moves=False)
FILL: Final = Fault("disk full", fill, moves=True)
CROWD: Final = Fault("error 1040 for everybody", crowd, moves=False)
STALL: Final = Fault("replication stalled for 1 s, then mysqld SIGKILL", stall, moves=True)
STALL_SHORT: Final = Fault("replication stalled for 0.3 s, then mysqld SIGKILL", stall_shortly, moves=True)
SWITCHOVER: Final = Fault("switchover", hand_over, moves=True)
RESTART_PEER: Final = Fault("restart of the standby", restart_peer, moves=False)

ALL: Final = (
    KILL,
    Fault("mysqld SIGSTOP, wakes up later", stop_and_wake, moves=True),
    PAUSE,
    FILL,
    CROWD,
    Fault("replication stopped, then mysqld SIGKILL", stop_replication, moves=False, look=8.0),
    Fault("SQL thread stopped, then mysqld SIGKILL", stop_applying, moves=False, look=8.0),
    STALL,
    Fault("errant transaction on the standby, then mysqld SIGKILL", stray, moves=False, look=8.0),
    SWITCHOVER,
    Fault("switchover during a long UPDATE", hand_over_during_update, moves=True),
    Fault("switchover during LOCK TABLES", hand_over_during_lock, moves=True),
    Fault("agent SIGKILL", kill_agent, moves=True, agents_live=False),
    Fault("agent SIGSTOP, wakes up later", stop_agent, moves=True, agents_live=False),
    Fault("nodes cut from each other for 5 s", part, moves=False),
    Fault("nodes cut from each other for 5 s, a client asks anew who has the VIP", part_and_ask, moves=False),
    Fault("network in two halves for 5 s, a client in each", split, moves=False),
    Fault("active node cut from all clients for 5 s", isolate, moves=False),
    Fault("active node cut from one of two clients for 5 s", isolate_one, moves=False),
    Fault("standby deaf to the active node for 5 s", deafen_standby, moves=False),
    Fault("active node deaf to the standby for 5 s", deafen_active, moves=False),
    Fault("agents stopped in turn, the first comes back alone", take_turns, moves=True, agents_live=False),
    Fault("power-off of the active node", power_off, moves=True, agents_live=False),
    RESTART_PEER,
)


def _wait_moved(world: World, victim: Node) -> None:
    """Wait until the other node has acknowledged a row, or long enough."""
    number = world.other(victim).server.number
    world.scribe.wait(lambda book: book.first(number, world.harmed) is not None, TAKES)


def _wake(world: World, victim: Node, undo: ExitStack) -> None:
    """Undo it once the writes have moved, and let the writers write on meanwhile."""
    _wait_moved(world, victim)
    undo.close()
    time.sleep(AWAKE)


def _both_ways(one: Host, other: Host) -> tuple[tuple[Host, Host], tuple[Host, Host]]:
    return (one, other), (other, one)


def _cut(world: World, undo: ExitStack, *ways: tuple[Host, Host]) -> None:
    _sever(world, undo, *ways)
    time.sleep(CUT)
    undo.close()


def _sever(world: World, undo: ExitStack, *ways: tuple[Host, Host]) -> None:
    undo.callback(world.network.drop)
    world.network.drop(*(way(*ends) for ends in ways))


@contextlib.contextmanager
def _crowd(client: Host, victim: Node) -> Iterator[None]:
    crowd: list[Connection[Cursor]] = []
    try:
        with contextlib.suppress(pymysql.MySQLError):  # full
            while len(crowd) < MANY:
                crowd.append(_connect(client, victim.host.ip, USER))
        if len(crowd) == MANY:
            raise LabError(f"{victim.name} takes more than {MANY} connections")
        yield
    finally:
        for connection in crowd:
            _leave(connection)


def _busy(world: World, undo: ExitStack, statement: str) -> None:
    """Somebody executes this through the VIP, and stays connected."""
    connection = _connect(world.clients[0], VIP, OPERATOR)

    def work() -> None:
        with contextlib.suppress(pymysql.MySQLError, OSError), connection.cursor() as cursor:
            cursor.execute(statement)

    thread = threading.Thread(target=work, name="busy", daemon=True)
    thread.start()
    undo.callback(thread.join, 15.0)
    undo.callback(_leave, connection)
    undo.callback(_dismiss, world)
    time.sleep(0.2)  # it is at work by now


def _dismiss(world: World) -> None:
    """End the operator's sessions. The client's own farewell may go to the node that has the VIP now."""
    for node in world.nodes.values():
        with contextlib.suppress(DatabaseError):
            node.server.execute(f"kill hard user {OPERATOR}")


def _connect(client: Host, host: str, user: str) -> Connection[Cursor]:
    """A connection from the client's host. Raises pymysql.MySQLError."""
    sock = topology.open_socket(client.namespace, socket.AF_INET, socket.SOCK_STREAM, 0)
    try:
        sock.settimeout(2.0)
        sock.connect((host, PORT))
        connection = pymysql.connect(
            user=user,
            password=PASSWORD,
            database=DATABASE,
            autocommit=True,
            ssl_disabled=True,
            defer_connect=True,
            read_timeout=15.0,
        )
        connection.connect(sock)
    except BaseException:
        sock.close()
        raise
    return connection


def _leave(connection: Connection[Cursor]) -> None:
    """Let go of it, whatever it is at."""
    sock = getattr(connection, "_sock", None)
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
    connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001  # a polite end may hang
