"""What makes pyvrrp a database failover agent: the only room that speaks SQL, and the only one that imports PyMySQL.

Nothing here decides who is MASTER. The core asks for writes to be opened or closed; this room does it, and reports
what the server is fit for. `plan`, `gtid`, `status`, `dialect` and `lint` are pure.
"""
