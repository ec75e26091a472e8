-- Ratings of ERC-20 tokens from a double-entry book of their transfers (DuckDB; for BigQuery: tokens.bigquery.sql).
-- Table token_transfers as ethereum-etl writes it: token_address, from_address, to_address, value (unsigned 256-bit, decimal).
-- A transfer adds its value to the receiver and takes it from the sender; minting and burning (the zero address) have one side only.
--   rating = balance / supply · 100, supply = Σ of the token's positive balances, kept above `minimum_rating` (drops airdrops)
-- DuckDB's widest integer has 128 bits, so a value is split into three limbs of 26 decimal digits; their sums are exact (up to
-- 10¹² transfers), and carries bring every limb but the highest into 0 … 10²⁶ − 1, whatever the signs were. Only then is anything rounded.
-- Transfers are read twice (for the top tokens, and for the book) rather than kept: memory is that of the balances, and what of
-- these does not fit waits on disk. With `passes` above 1 each pass takes a share of the tokens, and needs that share of the memory;
-- the statements before the last one run once.
CREATE TEMP TABLE spellings AS -- of a token, in upper and lower case
  SELECT written, lower(written) AS token, transfers
  FROM (
    SELECT token_address AS written, count(*) AS transfers
    FROM token_transfers
    WHERE regexp_full_match(value, '[0-9]{1,78}') -- 2²⁵⁶ has 78 digits
    GROUP BY written
  );

CREATE TEMP TABLE top AS
  SELECT written, token, number
  FROM spellings JOIN (
    SELECT token, (row_number() OVER (ORDER BY sum(transfers) DESC, token))::INTEGER AS number FROM spellings GROUP BY token
  ) USING (token)
  WHERE number <= getvariable('top_tokens');

WITH
  transfers AS NOT MATERIALIZED (
    SELECT number, lower(from_address) AS sender, lower(to_address) AS receiver, lpad(value, 78, '0') AS digits
    FROM token_transfers JOIN top ON token_address = written
    WHERE number % getvariable('passes') = getvariable('pass') AND regexp_full_match(value, '[0-9]{1,78}')
  ),
  limbs AS NOT MATERIALIZED (
    SELECT
      number, sender, receiver,
      substr(digits, 53, 26)::HUGEINT AS l0,
      substr(digits, 27, 26)::HUGEINT AS l1,
      substr(digits, 1, 26)::HUGEINT AS l2
    FROM transfers
  ),
  entries AS NOT MATERIALIZED (
    SELECT
      number, CASE WHEN received THEN receiver ELSE sender END AS address,
      CASE WHEN received THEN l0 ELSE -l0 END AS l0,
      CASE WHEN received THEN l1 ELSE -l1 END AS l1,
      CASE WHEN received THEN l2 ELSE -l2 END AS l2
    FROM limbs CROSS JOIN (VALUES (true), (false)) AS sides(received)
  ),
  sums AS (
    SELECT number, address, sum(l0) AS s0, sum(l1) AS s1, sum(l2) AS s2
    FROM entries
    WHERE address <> '0x0000000000000000000000000000000000000000'
    GROUP BY number, address
  ),
  -- A limb hands on its floor(s / 10²⁶): 0 for most, a slow division only for the rest.
  carried AS (
    SELECT
      number, address, s0, s1, s2, 100000000000000000000000000::HUGEINT AS base,
      CASE WHEN s0 >= 0 AND s0 < base THEN 0 WHEN s0 < 0 THEN (s0 - base + 1) // base ELSE s0 // base END AS c0
    FROM sums
  ),
  twice_carried AS (
    SELECT
      number, address, s0 - c0 * base AS l0, s1 + c0 AS t1, s2, base,
      CASE WHEN t1 >= 0 AND t1 < base THEN 0 WHEN t1 < 0 THEN (t1 - base + 1) // base ELSE t1 // base END AS c1
    FROM carried
  ),
  positive AS MATERIALIZED (
    SELECT number, address, l0, t1 - c1 * base AS l1, s2 + c1 AS l2 FROM twice_carried WHERE l2 >= 0 AND (l0 > 0 OR l1 > 0 OR l2 > 0)
  ),
  supplies AS (
    SELECT number, sum(l0) AS l0, sum(l1) AS l1, sum(l2) AS l2 FROM positive GROUP BY number
  ),
  ratings AS (
    SELECT
      p.number,
      p.address AS user_address,
      100 * (p.l2 * 1e52 + p.l1 * 1e26 + p.l0) / (s.l2 * 1e52 + s.l1 * 1e26 + s.l0) AS rating
    FROM positive AS p JOIN supplies AS s USING (number)
  )
SELECT token AS token_address, user_address, rating
FROM ratings JOIN (SELECT DISTINCT number, token FROM top) USING (number)
WHERE rating > getvariable('minimum_rating')
ORDER BY token_address, user_address
