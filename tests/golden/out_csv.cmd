$weir query --input - --output csv --utc -- 'level:*'
