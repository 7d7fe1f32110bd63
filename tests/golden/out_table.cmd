$weir query --input - --output table --utc -- 'level:*'
