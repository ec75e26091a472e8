-- Ratings with what is known of each beer, joined on the beer's name, which is all that the two files share. `breweries` says how many
-- breweries have a beer of that name: 0 = not in beer_matrix, 2 and more = nobody can tell whose beer was rated (both are dropped and
-- counted by the recipe). Only users with more than min_reviews and fewer than max_reviews ratings.
WITH
  beers AS (
    SELECT beer_name, count(DISTINCT brewery) AS breweries, min(brewery) AS brewery, min(type) AS style,
      min(CASE WHEN isfinite(TRY_CAST(abv AS DOUBLE)) THEN CAST(abv AS DOUBLE) END) AS abv
    FROM beer_matrix
    GROUP BY beer_name
  ),
  users AS (
    SELECT UID
    FROM long_matrix
    GROUP BY UID
    HAVING count(*) > getvariable('min_reviews') AND count(*) < getvariable('max_reviews')
  )
SELECT l.UID AS user, coalesce(b.brewery, '?') || ' / ' || l.beer_name AS beer, l.beer_name AS title, l.rating, b.brewery, b.style, b.abv,
  coalesce(b.breweries, 0) AS breweries
FROM long_matrix l
JOIN users USING (UID)
LEFT JOIN beers b USING (beer_name)
ORDER BY CAST(l.column0 AS INTEGER)
