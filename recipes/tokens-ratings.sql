-- Ready ratings of tokens, as the query in tokens.bigquery.sql exports them: token_address, user_address, rating (DuckDB).
-- Addresses compare in any case; equal pairs are summed; rows whose rating is no number, or not above zero, are left out.
WITH
  rows AS (
    SELECT lower(trim(token_address)) AS token, lower(trim(user_address)) AS address, try_cast(trim(rating) AS DOUBLE) AS rating
    FROM ratings
  )
SELECT token AS token_address, address AS user_address, fsum(rating ORDER BY rating) AS rating
FROM rows
WHERE isfinite(rating) AND rating > 0 AND token <> '' AND address <> ''
GROUP BY token, address
ORDER BY token_address, user_address
