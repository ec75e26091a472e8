-- Ratings of ERC-20 tokens from a double-entry book of their transfers (DuckDB).
-- Table token_transfers as ethereum-etl writes it: token_address, from_address, to_address, value (unsigned 256-bit, decimal).
-- A transfer adds its value to the receiver and takes it from the sender; minting and burning (the zero address) have one side only.
--   rating = balance / supply · 100, supply = Σ of the token's positive balances, kept above `minimum_rating` (drops airdrops)
-- DuckDB's widest integer has 128 bits, so a value is split into five limbs of 18 decimal digits; their sums are exact, and carries
-- bring every limb but the highest into 0 … 10¹⁸ − 1, whatever the signs were. Only then is anything rounded.
WITH
  transfers AS NOT MATERIALIZED (
    SELECT lower(trim(token_address)) AS token, lower(trim(from_address)) AS sender, lower(trim(to_address)) AS receiver, lpad(value, 90, '0') AS digits
    FROM token_transfers
    WHERE regexp_full_match(value, '[0-9]{1,78}') -- 2²⁵⁶ has 78 digits
  ),
  top AS (
    SELECT token FROM transfers GROUP BY token ORDER BY count(*) DESC, token LIMIT getvariable('top_tokens')
  ),
  entries AS (
    SELECT token, receiver AS address, 1 AS sign, digits FROM transfers
    UNION ALL
    SELECT token, sender AS address, -1 AS sign, digits FROM transfers
  ),
  sums AS (
    SELECT
      token, address,
      sum(sign * substr(digits, 73, 18)::BIGINT) AS s0,
      sum(sign * substr(digits, 55, 18)::BIGINT) AS s1,
      sum(sign * substr(digits, 37, 18)::BIGINT) AS s2,
      sum(sign * substr(digits, 19, 18)::BIGINT) AS s3,
      sum(sign * substr(digits, 1, 18)::BIGINT) AS s4
    FROM entries
    WHERE token IN (FROM top) AND address <> '0x0000000000000000000000000000000000000000'
    GROUP BY token, address
  ),
  balances AS ( -- each line takes what a limb has too much, or too little, over to the next
    SELECT
      token, address, 1000000000000000000::HUGEINT AS base,
      s0 AS t0, ((t0 % base) + base) % base AS l0,
      s1 + (t0 - l0) // base AS t1, ((t1 % base) + base) % base AS l1,
      s2 + (t1 - l1) // base AS t2, ((t2 % base) + base) % base AS l2,
      s3 + (t2 - l2) // base AS t3, ((t3 % base) + base) % base AS l3,
      s4 + (t3 - l3) // base AS l4
    FROM sums
  ),
  positive AS (
    SELECT token, address, l0, l1, l2, l3, l4 FROM balances WHERE l4 >= 0 AND l0 + l1 + l2 + l3 + l4 > 0
  ),
  supplies AS (
    SELECT token, sum(l0) AS l0, sum(l1) AS l1, sum(l2) AS l2, sum(l3) AS l3, sum(l4) AS l4 FROM positive GROUP BY token
  ),
  ratings AS (
    SELECT
      p.token AS token_address,
      p.address AS user_address,
      100 * (p.l4 * 1e72 + p.l3 * 1e54 + p.l2 * 1e36 + p.l1 * 1e18 + p.l0)
        / (s.l4 * 1e72 + s.l3 * 1e54 + s.l2 * 1e36 + s.l1 * 1e18 + s.l0) AS rating
    FROM positive AS p JOIN supplies AS s USING (token)
  )
SELECT token_address, user_address, rating FROM ratings WHERE rating > getvariable('minimum_rating')
ORDER BY token_address, user_address
