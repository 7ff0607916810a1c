"""What a page says, worked out from plain rows: findings by rule, tiles, tables. Pure; no query, no HTML."""
