-- The same ratings as tokens.sql from the public Ethereum data set (BigQuery, GoogleSQL); export the result as csv and read it with
-- tokens-ratings.yaml.
-- What is exact: `value` is decimal text of up to 78 digits. FLOAT64, which the article sums, holds 15 to 17 of them; NUMERIC and BIGNUMERIC
-- hold 29 and 38 before the point, too few as well. So a value is split into three limbs of 26 digits, as in tokens.sql, summed as BIGNUMERIC
-- (exact up to 10¹² transfers), and carries bring every limb but the highest into 0 … 10²⁶ − 1, so that the sign of a balance, and which
-- addresses hold anything, is exact. Rounded are only balance and supply as FLOAT64, each to 16 digits, and their quotient.
-- Rows whose value is no unsigned decimal number are left out; addresses compare in any case.
DECLARE top_tokens INT64 DEFAULT 1000;
DECLARE minimum_rating FLOAT64 DEFAULT 0.001; -- percent of the supply; drops airdrops

WITH
  transfers AS (
    SELECT LOWER(token_address) AS token, LOWER(from_address) AS sender, LOWER(to_address) AS receiver, LPAD(value, 78, '0') AS digits
    FROM `bigquery-public-data.crypto_ethereum.token_transfers`
    WHERE REGEXP_CONTAINS(value, r'^[0-9]{1,78}$')
  ),
  top AS (
    SELECT token FROM (
      SELECT token, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, token) AS place FROM transfers GROUP BY token -- LIMIT takes no variable
    )
    WHERE place <= top_tokens
  ),
  limbs AS (
    SELECT
      token, sender, receiver,
      CAST(SUBSTR(digits, 53, 26) AS BIGNUMERIC) AS l0,
      CAST(SUBSTR(digits, 27, 26) AS BIGNUMERIC) AS l1,
      CAST(SUBSTR(digits, 1, 26) AS BIGNUMERIC) AS l2
    FROM transfers
    WHERE token IN (SELECT token FROM top)
  ),
  entries AS (
    SELECT token, receiver AS address, l0, l1, l2 FROM limbs
    UNION ALL
    SELECT token, sender AS address, -l0, -l1, -l2 FROM limbs
  ),
  sums AS (
    SELECT token, address, SUM(l0) AS s0, SUM(l1) AS s1, SUM(l2) AS s2
    FROM entries
    WHERE address <> '0x0000000000000000000000000000000000000000'
    GROUP BY token, address
  ),
  carried AS ( -- DIV truncates: a negative sum is first moved down, so that the carry is its floor
    SELECT token, address, s0, s1, s2, DIV(IF(s0 < 0, s0 - (BIGNUMERIC '1e26' - 1), s0), BIGNUMERIC '1e26') AS c0 FROM sums
  ),
  twice_carried AS (
    SELECT
      token, address, s0 - c0 * BIGNUMERIC '1e26' AS l0, s1 + c0 AS t1, s2,
      DIV(IF(s1 + c0 < 0, s1 + c0 - (BIGNUMERIC '1e26' - 1), s1 + c0), BIGNUMERIC '1e26') AS c1
    FROM carried
  ),
  balances AS (
    SELECT token, address, l0, t1 - c1 * BIGNUMERIC '1e26' AS l1, s2 + c1 AS l2 FROM twice_carried
  ),
  positive AS (
    SELECT token, address, l0, l1, l2 FROM balances WHERE l2 >= 0 AND (l0 > 0 OR l1 > 0 OR l2 > 0)
  ),
  supplies AS (
    SELECT token, SUM(l0) AS l0, SUM(l1) AS l1, SUM(l2) AS l2 FROM positive GROUP BY token
  ),
  ratings AS (
    SELECT
      p.token AS token_address,
      p.address AS user_address,
      100 * (CAST(p.l2 AS FLOAT64) * 1e52 + CAST(p.l1 AS FLOAT64) * 1e26 + CAST(p.l0 AS FLOAT64))
        / (CAST(s.l2 AS FLOAT64) * 1e52 + CAST(s.l1 AS FLOAT64) * 1e26 + CAST(s.l0 AS FLOAT64)) AS rating
    FROM positive AS p JOIN supplies AS s ON s.token = p.token
  )
SELECT token_address, user_address, rating FROM ratings WHERE rating > minimum_rating
ORDER BY token_address, user_address
