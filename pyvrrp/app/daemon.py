"""The composition root: builds the shells around the node, and takes them down in order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from pyvrrp import __version__
from pyvrrp.app.blackbox import BlackBox
from pyvrrp.app.checkup import Checkup
from pyvrrp.app.claims import Claims
from pyvrrp.app.databases import Databases
from pyvrrp.app.dump import Baseline, Dumps, write_private
from pyvrrp.app.herald import Herald
from pyvrrp.app.host import (
    DUMPS,
    ENDING,
    SIGNALS,
    demand_completeness,
    demand_interfaces,
    demand_no_new_mistakes,
    demand_right_to_change,
)
from pyvrrp.app.logs import open_journal
from pyvrrp.app.lookout import Lookout
from pyvrrp.app.loop import Heart, clear_addresses, settle_memory
from pyvrrp.app.options import Options
from pyvrrp.app.orders import Orders
from pyvrrp.app.pidfile import PidFile, wanted
from pyvrrp.app.premises import Premises
from pyvrrp.app.reading import Reading, only_wanted
from pyvrrp.app.selector import PreciseSelector
from pyvrrp.app.turnstile import Turnstile
from pyvrrp.app.wires import Wires
from pyvrrp.core.diff import changes
from pyvrrp.core.effects import Action, Level, Operation, Record
from pyvrrp.core.events import ConfigReplaced, Event, Stopping
from pyvrrp.core.interfaces import interfaces
from pyvrrp.core.listening import listening
from pyvrrp.core.node import Node
from pyvrrp.core.settings import InstanceSettings, LoadedNode, NodeSettings
from pyvrrp.errors import ControlError, KernelError, PyvrrpError
from pyvrrp.io import systemd
from pyvrrp.io.control import Answer, ControlServer, Peer
from pyvrrp.io.netlink import Kernel

_FATAL = 1
_LOOK_AGAIN = 0.2  # seconds until an interface that could not be looked at is looked at again
_LAST_WORDS = 2.0  # seconds to hand over after a bug
_NOT_LET_IN = "socket.accept() out of system resource"  # asyncio's words
_PORTION, _BETWEEN_PORTIONS = 4, 0.02  # lines, seconds
_DUMPS = "/tmp"  # noqa: S108  # where keepalived's readers look for them
_PRINTED = {
    "data": "VRRP data",
    "stats": "VRRP stats",
    "stats_clear": "and clearing VRRP stats",
    "json": "VRRP as json",
}


def serve(loaded: LoadedNode, options: Options, begun: Callable[[], None]) -> int:
    """Run a node until it is asked to stop; the exit status. `begun` is called once everything runs.

    Raises ConfigError, KernelError, InstanceTakenError, OSError.
    """
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(PreciseSelector())) as runner:
        return runner.run(_serve(loaded, options, begun))


async def _serve(loaded: LoadedNode, options: Options, begun: Callable[[], None]) -> int:
    daemon = Daemon(loaded, options)
    try:
        return await daemon.run(begun)
    finally:
        await daemon.close()


class Daemon:
    """One running pyvrrpd. To be made inside a running loop."""

    def __init__(self, loaded: LoadedNode, options: Options) -> None:
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._config = options.config
        self._loaded_at = time.time()
        self._started_at = self._loop.time()
        self._problems: tuple[str, ...] = ()
        self._status = 0
        self._finished = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._reading: Reading | None = None
        self._background: set[asyncio.Task[object]] = set()
        self._loaded = loaded = only_wanted(loaded, options)
        self._coming: tuple[InstanceSettings, ...] = ()  # what a reload is about to bring into force
        self._journal = open_journal(options, keepalived=loaded.keepalived)
        self._claims = Claims(self._loop, self._say)
        self._pid_files: list[PidFile] = []
        self._cleared: Baseline = {}
        self._control = ControlServer(Path(options.socket), self._answer)
        self._kernel = Kernel()
        self._premises = Premises(self._say, self._hear, self._loop.add_reader, self._loop.remove_reader)
        self._node = Node(loaded.settings, self._started_at)
        self._turnstile = Turnstile(self._loop, limited=lambda: bool(self._node.held()))
        readers = self._turnstile.watch, self._turnstile.unwatch
        self._wires = Wires(self._hear, *readers)
        self._lookout = Lookout(self._hear, lambda: self._wires.listen(rounds=1), *readers, self._say)
        self._herald = Herald(loaded.settings.script_timeout, self._say)
        self._databases = Databases(
            self._deliver, self._node.last_heard, self._node.withheld, self._premises.refuse, self._journal.write
        )
        self._heart = Heart(
            self._node,
            self._kernel,
            self._wires,
            self._lookout,
            self._premises.change_routes,
            self._journal.write,
            self._herald.tell,
            self._finished.set,
            self._databases.perform,
        )
        self._orders = Orders(self._node, self._databases, self._deliver, self._say_of)
        self._blackbox = BlackBox(self._node, self._heart.insert, self._say)
        self._checkup = Checkup(self._loop, self._heart.deliver_one, self._say)

    async def run(self, begun: Callable[[], None]) -> int:
        """Start everything, wait for the end, hand over; the exit status."""
        self._loop.set_exception_handler(self._broken)
        self._write_pid_files()
        demand_completeness(self._loaded)
        demand_interfaces(self._loaded)
        demand_right_to_change(self._kernel)
        self._claims.take(self._node.vrids())
        if self._options.record:  # before anything can be heard
            self._blackbox.record_to(Path(self._options.record), self._started_at)
        self._premises.drop(self._loaded.settings)
        self._premises.want(self._node.instances())
        self._premises.want_routes(self._loaded.settings)
        self._listen()
        await self._control.start()
        self._say(Level.NOTICE, f"Starting pyvrrpd {__version__}, pid {os.getpid()}, {self._config}")
        if not self._journal.on_stderr:  # which has it already
            self._say_what_was_read()
        self._log_data()
        settings = self._loaded.settings
        if (delay := max(settings.startup_delay, settings.delay_after_boot - self._started_at)) > 0:
            self._say(Level.INFO, f"Delaying startup for {delay:g} seconds")
        self._loop.add_reader(self._kernel.monitor_fileno(), self._kernel_changed)
        self._catch_signals()
        self._herald.want(self._loaded.settings)
        self._databases.want(self._loaded.settings)
        self._observe(self._node.interfaces())
        self._prepare(self._loaded.settings)
        self._checkup.want(self._loaded.settings.checks)
        self._watch_over()
        settle_memory()
        self._ready()
        self._say(Level.NOTICE, "Startup complete")
        begun()
        await self._finished.wait()
        self._say(Level.NOTICE, "Stopped pyvrrpd")
        return self._status

    async def close(self) -> None:
        """Let go of everything; addresses that are still there are taken off."""
        if self._reading is not None:
            self._reading.abandon()
        self._checkup.close()
        self._premises.change_routes(self._node.held_routes())
        clear_addresses(self._node, self._kernel)
        await self._databases.close()
        self._premises.close()
        self._loop.remove_reader(self._kernel.monitor_fileno())
        self._lookout.close()
        self._wires.close()
        await self._herald.close()
        await self._blackbox.close()
        await self._control.close()
        self._claims.keep({})
        for pid_file in self._pid_files:
            pid_file.close()
        self._kernel.close()
        self._journal.close()

    # --- what comes in ------------------------------------------------------------------------------------------------

    def _hear(self, events: Iterable[Event]) -> None:
        self._heart.deliver(events)

    def _deliver(self, event: Event) -> None:
        self._heart.deliver_one(event)

    def _kernel_changed(self) -> None:
        touched = self._kernel.changes()
        used = self._node.interfaces()
        names = used if touched is None else used & touched
        self._look_at(names)

    def _look_at(self, names: Iterable[str]) -> None:
        """Follow what became of interfaces; what cannot be seen now is looked at again."""
        if not names:
            return
        try:
            self._premises.want(self._instances())
            self._listen()
            self._observe(names)
        except (KernelError, OSError) as error:
            self._say(Level.ERROR, f"{error}; looking again in {_LOOK_AGAIN:g} s")
            self._loop.call_later(_LOOK_AGAIN, self._look_at, list(names))

    def _tidy(self) -> None:
        self._databases.tidy()
        self._look_at(self._node.interfaces())

    def _instances(self) -> tuple[InstanceSettings, ...]:
        return (*self._node.instances(), *self._coming)

    def _listen(self) -> None:
        """Have the sockets that the instances need. Raises KernelError."""
        instances = self._instances()
        self._wires.want(listening(instances), instances)
        self._lookout.want(instances)
        self._turnstile.expect(sum(1 / each.advert_int for each in instances))

    def _observe(self, names: Iterable[str]) -> None:
        events: list[Event] = []
        for name in names:
            events += self._kernel.observe(name)
        events += self._premises.observe_routes()
        self._heart.deliver(events)

    def _prepare(self, settings: NodeSettings) -> None:
        """Encode what a takeover will ask of the kernel before it is urgent."""
        for instance in settings.instances:
            for address in instance.held:
                adding = Operation(Action.ADD, address, instance.vip_lease)
                self._kernel.prepare((adding, Operation(Action.REMOVE, address)))

    def _catch_signals(self) -> None:
        for number in ENDING:
            self._loop.add_signal_handler(number, self._stop, signal.Signals(number).name)
        self._loop.add_signal_handler(signal.SIGHUP, self._start_reload)
        for dumping, kind in DUMPS.items():
            self._loop.add_signal_handler(dumping, self._dump, kind)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _write_pid_files(self) -> None:
        for path in wanted(self._options, self._loaded):
            try:
                self._pid_files.append(PidFile(path))
            except OSError as error:
                self._say(Level.WARNING, f"pid file {path}: {error.strerror}")

    def _dump(self, kind: str) -> None:
        """Write one of keepalived's dumps: data, stats, stats_clear (which counts from 0 afterwards) or json."""
        dumps = self._dumps()
        name = "stats" if kind == "stats_clear" else kind
        path = Path(_DUMPS, f"keepalived.{name}")
        self._say(Level.INFO, f"Printing {_PRINTED[kind]} for process({os.getpid()}) on signal")
        try:
            write_private(path, {"data": dumps.data, "stats": dumps.stats, "json": dumps.json}[name]())
        except OSError as error:
            self._say(Level.ERROR, f"{path}: {error.strerror}")
        if kind == "stats_clear":
            instances = self._node.snapshot(self._loop.time()).instances
            self._cleared = {each.name: dict(each.counters) for each in instances}

    def _log_data(self) -> None:
        """-d: what was read goes to the log, as in keepalived."""
        if self._options.dump_conf:
            self._log_in_portions(self._dumps().data().splitlines())

    def _log_in_portions(self, lines: list[str]) -> None:
        """Syslog's socket takes ten lines at once (net.unix.max_dgram_qlen), and what it does not take is lost."""
        for line in lines[:_PORTION]:
            self._say(Level.INFO, line)
        if lines[_PORTION:]:
            self._loop.call_later(_BETWEEN_PORTIONS, self._log_in_portions, lines[_PORTION:])

    def _dumps(self) -> Dumps:
        return Dumps(self._loaded.settings, self._node.snapshot(self._loop.time()), time.time(), self._cleared)

    def _say_what_was_read(self) -> None:
        """The remarks about the configuration."""
        for problem in self._loaded.problems:
            self._say(Level.WARNING, str(problem))
        for advice in self._loaded.advice:
            self._say(Level.INFO, f"advice: {advice}")

    def _stop(self, name: str) -> None:
        if self._node.stopping:
            return
        systemd.stopping()
        self._say(Level.NOTICE, "Stopping")
        # Handing over ends by itself, unless the kernel does not let an address go.
        self._loop.call_later(max(_LAST_WORDS, self._node.handover_bound + 1.0), self._finished.set)
        self._heart.deliver_one(Stopping(f"this node is being stopped ({name})"))

    def _broken(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """A bug: say all there is to say, and hand over rather than go on in an unknown state."""
        error = context.get("exception")
        if isinstance(error, OSError) and context.get("message") == _NOT_LET_IN:
            # A client of the control socket, for want of a descriptor or memory; asyncio tries again by itself.
            self._say(Level.ERROR, f"{context.get('message')}: {error}")
            return
        self._say(Level.ERROR, f"fatal: {context.get('message')}")
        if isinstance(error, BaseException):
            self._trace(error)
        self._status = _FATAL
        self._loop.call_later(_LAST_WORDS, self._finished.set)
        try:
            self._stop("an internal error")
        except Exception:  # noqa: BLE001  # the same bug again: close() takes the addresses off
            self._finished.set()

    def _trace(self, error: BaseException) -> None:
        for line in "".join(traceback.format_exception(error)).splitlines():
            self._say(Level.ERROR, line)

    def _watch_over(self) -> None:
        """systemd's watchdog is fed by the loop itself: a loop that hangs starves it."""
        interval = systemd.watchdog_interval()
        if interval is not None:
            systemd.watchdog()
            self._loop.call_later(interval, self._watch_over)

    # --- reload -------------------------------------------------------------------------------------------------------

    def _start_reload(self) -> None:
        if len(self._background) > 1:
            return  # one is at work and one waits, which will read what this signal is about
        task = self._loop.create_task(self._reload())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _try_reload(self) -> dict[str, object]:
        """Read the file again and tell what a reload would change."""
        async with self._reloading:
            try:
                loaded = await self._read_again()
            except (PyvrrpError, OSError) as error:
                return {"ok": False, "problems": str(error).splitlines()}
            finally:
                self._reading = None
            return _outcome(loaded, changes(self._loaded.settings, loaded.settings))

    async def _reload(self) -> dict[str, object]:
        """Read the file again; a file with problems changes nothing."""
        async with self._reloading:
            if self._node.stopping:
                self._say(Level.NOTICE, "reload refused: this daemon is being stopped")
                return {"ok": False, "problems": ["this daemon is being stopped"]}
            systemd.reloading()
            self._say(Level.NOTICE, "Reloading")
            try:
                return await self._replace(await self._read_again())
            except (PyvrrpError, OSError) as error:
                self._problems = tuple(str(error).splitlines())
                for line in self._problems:
                    self._say(Level.ERROR, line)
                self._say(Level.ERROR, "reload refused, the configuration in force stays")
                return {"ok": False, "problems": list(self._problems)}
            finally:
                self._reading, self._coming = None, ()
                if not self._node.stopping:
                    self._ready()

    async def _read_again(self) -> LoadedNode:
        self._reading = Reading(self._config, self._options.config_id, all_config=self._options.all_config)
        loaded = only_wanted(await self._loop.run_in_executor(None, self._reading.result), self._options)
        demand_completeness(loaded)
        demand_interfaces(loaded)
        demand_no_new_mistakes(self._loaded, loaded)
        return loaded

    async def _replace(self, loaded: LoadedNode) -> dict[str, object]:
        if self._node.stopping:
            raise ControlError("this daemon is being stopped")
        self._claims.take(listening(loaded.settings.instances))
        self._coming = loaded.settings.instances
        self._premises.want(self._instances())
        self._premises.want_routes(loaded.settings)
        self._listen()
        await self._loop.run_in_executor(None, self._premises.drop, loaded.settings)
        if self._node.stopping:
            raise ControlError("this daemon is being stopped")
        self._observe(interfaces(loaded.settings))  # a master may be about to use one that is new to the node
        sentences = changes(self._loaded.settings, loaded.settings)
        self._loaded, self._problems, self._loaded_at = loaded, (), time.time()
        self._herald.want(loaded.settings)
        self._heart.deliver_one(ConfigReplaced(loaded.settings))
        self._databases.want(loaded.settings)
        self._coming = ()
        self._claims.keep(self._node.vrids())  # those it runs, and those it still hands over
        self._checkup.want(loaded.settings.checks)
        self._prepare(loaded.settings)
        self._look_at(self._node.interfaces())
        # What instances that go have used is put back once they have handed over.
        self._loop.call_later(self._node.handover_bound + 1.0, self._tidy)
        for each in sentences or ("nothing has changed",):
            self._say(Level.NOTICE, f"reload: {each}")
        self._say_what_was_read()
        self._log_data()
        self._say(Level.NOTICE, "Reload complete")
        return _outcome(loaded, sentences)

    def _ready(self) -> None:
        count = len(self._loaded.settings.instances)
        systemd.ready(f"{count} virtual router{'' if count == 1 else 's'}, {self._config}")

    # --- what goes out ------------------------------------------------------------------------------------------------

    def _say(self, level: Level, text: str) -> None:
        self._journal.write(Record(level, "", text))

    def _say_of(self, instance: str, text: str) -> None:
        self._journal.write(Record(Level.NOTICE, instance, text))

    async def _answer(self, request: dict[str, object], peer: Peer) -> Answer:
        command = request.get("command")
        if command == "status":
            try:
                return self._status_answer()
            except Exception as error:  # noqa: BLE001  # who only looks must not end a master
                self._trace(error)
                return {"error": "the status could not be made, the log says why"}
        if command not in ("reload", "record", *self._orders):
            known = ", ".join(("status", "reload", "record", *self._orders))
            return {"error": f"unknown command {command!r}: there are {known}"}
        if not peer.may_change:
            text = f"uid {peer.uid} may look, but only root and this daemon's own user may {command}"
            return {"error": text, "refused": True}
        if command == "record":
            return self._blackbox.listen()
        if command in self._orders:
            return await self._orders.carry_out(request)
        return await (self._try_reload() if request.get("dry_run") else self._reload())

    def _status_answer(self) -> dict[str, object]:
        now = self._loop.time()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "uptime": now - self._started_at,
            "wall": time.time(),
            "config": {
                "path": self._config,
                "ok": not self._problems,
                "loaded_at": self._loaded_at,
                "problems": list(self._problems),
            },
            "channel": self._databases.channel_status(),
            "snapshot": asdict(self._node.snapshot(now)),
        }


def _outcome(loaded: LoadedNode, sentences: tuple[str, ...]) -> dict[str, object]:
    advice = [str(each) for each in loaded.advice]
    return {
        "ok": True,
        "changes": list(sentences),
        "left_out": [str(each) for each in loaded.problems],
        "advice": advice,
    }
