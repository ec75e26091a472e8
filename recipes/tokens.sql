-- Ratings of ERC-20 tokens from a double-entry book of their transfers (DuckDB; for BigQuery: tokens.bigquery.sql).
-- Table token_transfers as ethereum-etl writes it: token_address, from_address, to_address, value (unsigned 256-bit, decimal).
-- A transfer adds its value to the receiver and takes it from the sender; minting and burning (the zero address) have one side only.
--   rating = balance / supply · 100, supply = Σ of the token's positive balances, kept above `minimum_rating` (drops airdrops)
-- DuckDB's widest integer has 128 bits, so a value is split into three limbs of 26 decimal digits; their sums are exact (up to
-- 10¹² transfers), and carries bring every limb but the highest into 0 … 10²⁶ − 1, whatever the signs were. Only then is anything rounded.
-- Transfers are read twice (for the top tokens, and for the book) rather than kept: memory is that of the balances, and what of
-- these does not fit waits on disk. With `passes` above 1 each pass takes a share of the tokens, and needs that share of the memory.
WITH
  transfers AS NOT MATERIALIZED (
    SELECT lower(trim(token_address)) AS token, lower(trim(from_address)) AS sender, lower(trim(to_address)) AS receiver, value
    FROM token_transfers
    WHERE regexp_full_match(value, '[0-9]{1,78}') -- 2²⁵⁶ has 78 digits
  ),
  top AS (
    SELECT token FROM transfers GROUP BY token ORDER BY count(*) DESC, token LIMIT getvariable('top_tokens')
  ),
  limbs AS NOT MATERIALIZED (
    SELECT
      token, sender, receiver,
      substr(lpad(value, 78, '0'), 53, 26)::HUGEINT AS l0,
      substr(lpad(value, 78, '0'), 27, 26)::HUGEINT AS l1,
      substr(lpad(value, 78, '0'), 1, 26)::HUGEINT AS l2
    FROM transfers
    WHERE token IN (FROM top) AND hash(token) % getvariable('passes') = getvariable('pass')
  ),
  entries AS (
    SELECT token, receiver AS address, l0, l1, l2 FROM limbs
    UNION ALL
    SELECT token, sender AS address, -l0, -l1, -l2 FROM limbs
  ),
  sums AS (
    SELECT token, address, sum(l0) AS s0, sum(l1) AS s1, sum(l2) AS s2
    FROM entries
    WHERE address <> '0x0000000000000000000000000000000000000000'
    GROUP BY token, address
  ),
  -- A limb hands on its floor(s / 10²⁶): 0 for most, a slow division only for the rest.
  carried AS (
    SELECT
      token, address, s0, s1, s2, 100000000000000000000000000::HUGEINT AS base,
      CASE WHEN s0 >= 0 AND s0 < base THEN 0 WHEN s0 < 0 THEN (s0 - base + 1) // base ELSE s0 // base END AS c0
    FROM sums
  ),
  twice_carried AS (
    SELECT
      token, address, s0 - c0 * base AS l0, s1 + c0 AS t1, s2, base,
      CASE WHEN t1 >= 0 AND t1 < base THEN 0 WHEN t1 < 0 THEN (t1 - base + 1) // base ELSE t1 // base END AS c1
    FROM carried
  ),
  balances AS MATERIALIZED (
    SELECT token, address, l0, t1 - c1 * base AS l1, s2 + c1 AS l2 FROM twice_carried
  ),
  positive AS NOT MATERIALIZED (
    SELECT token, address, l0, l1, l2 FROM balances WHERE l2 >= 0 AND (l0 > 0 OR l1 > 0 OR l2 > 0)
  ),
  supplies AS (
    SELECT token, sum(l0) AS l0, sum(l1) AS l1, sum(l2) AS l2 FROM positive GROUP BY token
  ),
  ratings AS (
    SELECT
      p.token AS token_address,
      p.address AS user_address,
      100 * (p.l2 * 1e52 + p.l1 * 1e26 + p.l0) / (s.l2 * 1e52 + s.l1 * 1e26 + s.l0) AS rating
    FROM positive AS p JOIN supplies AS s USING (token)
  )
SELECT token_address, user_address, rating FROM ratings WHERE rating > getvariable('minimum_rating')
ORDER BY token_address, user_address
