"""Does a failover lose what was acknowledged, and how long does it take? Two databases, writers, faults and a judge."""
