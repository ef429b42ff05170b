-- KEYS: the version of the layout, and any key of another slot: a cluster says here that it is one,
-- and a user without rights that it has none, not in the middle of a run.
redis.call('SETNX', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
