"""How passwords are given to a server so that its binary log, and so relay logs and backups, never have them in clear.

MariaDB and MySQL 5.6 write CREATE USER … IDENTIFIED BY into the log as it was sent: what is sent is the hash. Of
MySQL 8.4 and later see `_sent_in_clear`.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pyvrrp.mysql.dialect import Dialect
from pyvrrp.mysql.facts import Facts
from pyvrrp.mysql.grants import account

NATIVE: Final = "mysql_native_password"
VALIDATING: Final = ("simple_password_check_", "cracklib_password_check_", "password_reuse_check_")  # their variables


def hashed(password: str) -> str:
    """What mysql_native_password keeps of a password."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def hash_of(secret: str) -> str:
    """The name that the hash of a secret has in statements."""
    return f"{secret}_hash"


def created(facts: Facts, who: str, secret: str) -> tuple[str, ...]:
    """The statements that make an account; `:secret:` or its hash stands for the password."""
    spoken = facts.dialect
    if _sent_in_clear(spoken):
        return (f"CREATE USER {account(who)} IDENTIFIED BY :{secret}:",)
    # Without TLS the successor of mysql_native_password demands an exchange of keys that PyMySQL needs another library
    # for.
    plain = spoken.maria or spoken.version < (5, 7, 0)
    how = "BY PASSWORD" if plain else f"WITH {NATIVE} AS"
    return _unvalidated(facts, f"CREATE USER {account(who)} IDENTIFIED {how} :{hash_of(secret)}:")


def replaced(facts: Facts, who: str, secret: str) -> tuple[str, ...]:
    """The statements that give an account a new password."""
    spoken = facts.dialect
    if _sent_in_clear(spoken):
        return (f"ALTER USER {account(who)} IDENTIFIED BY :{secret}:",)
    if spoken.maria or spoken.version < (5, 7, 6):
        return _unvalidated(facts, f"SET PASSWORD FOR {account(who)} = :{hash_of(secret)}:")
    return (f"ALTER USER {account(who)} IDENTIFIED WITH {NATIVE} AS :{hash_of(secret)}:",)


def _sent_in_clear(spoken: Dialect) -> bool:
    """MySQL from 8.4 on, whose accounts have caching_sha2_password: its hash has a salt and bytes that are no text.

    It is safe there: MySQL rewrites CREATE USER, ALTER USER and SET PASSWORD before they are written into its binary,
    general and slow log (manual, "Passwords and Logging"); in the log stands IDENTIFIED WITH … AS and the hash.
    """
    return not spoken.maria and spoken.version >= (8, 4, 0)


def _unvalidated(facts: Facts, statement: str) -> tuple[str, ...]:
    """A MariaDB with a plugin that judges passwords takes no hash unless it is told to: ours are good ones."""
    judges = any(name.startswith(VALIDATING) for name in facts.variables)
    if not (facts.maria and judges and facts.on("strict_password_validation")):
        return (statement,)
    switch = "SET GLOBAL strict_password_validation ="
    return (f"{switch} OFF", statement, f"{switch} ON")
