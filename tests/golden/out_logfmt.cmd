$weir query --input - --output logfmt --utc -- 'level:*'
