$weir query --input - --output text --utc -- 'level:*'
