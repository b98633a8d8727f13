-- kind, name
redis.call('ZREM', records_key(ARGV[1]), ARGV[2])
return redis.call('DEL', record_key(ARGV[1], ARGV[2]))
