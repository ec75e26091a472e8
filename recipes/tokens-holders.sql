-- Ratings of ERC-20 tokens from lists of holders, one csv for each token, named after it, as a block explorer exports them (DuckDB).
-- Table holders: HolderAddress, Balance (in whole tokens, rounded to 15 digits or so).
--   rating = balance / supply · 100, supply = Σ of the token's positive balances without the zero address (what is burnt),
--   kept above `minimum_rating` (drops airdrops)
-- Addresses compare in any case; an address that stands twice for a token has the sum of both rows. Rows whose balance is no number,
-- or not above zero, are left out. Sums are taken in order of size, so that the same files always give the same bits.
WITH
  rows AS (
    SELECT
      lower(parse_filename(filename, true)) AS token,
      lower(trim(HolderAddress)) AS address,
      try_cast(replace(trim(Balance), ',', '') AS DOUBLE) AS balance
    FROM holders
  ),
  balances AS (
    SELECT token, address, fsum(balance ORDER BY balance) AS balance
    FROM rows
    WHERE isfinite(balance) AND balance > 0 AND address <> '' AND address <> '0x0000000000000000000000000000000000000000'
    GROUP BY token, address
  ),
  supplies AS (
    SELECT token, fsum(balance ORDER BY balance) AS supply FROM balances GROUP BY token
  ),
  ratings AS (
    SELECT token AS token_address, address AS user_address, 100 * balance / supply AS rating FROM balances JOIN supplies USING (token)
  )
SELECT token_address, user_address, rating FROM ratings WHERE rating > getvariable('minimum_rating')
ORDER BY token_address, user_address
