"""Mutation testing of the core: every small change of it must make a test fail, or stands in survivors.txt with why."""
