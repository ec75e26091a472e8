-- Who played which song how often, cleaned as the article does (DuckDB). Tables:
--   plays: user, song, plays; several rows of one user and song are added up
--   songs: song_id, title, and artist_name where there is one; of several titles of a song the first by the alphabet counts
-- A row stays with `plays` at or above `minimum_plays`, of a user with at least `minimum_songs` such songs, and, where `above_mean` is 1, at or
-- above the mean of the user's plays. The others come out too, with the reason in `left_out`, so that the recipe can count them.
-- Titles written as b'Rapha\xc3\xabl' (bytes, as some tools export the Million Song Dataset) become text again.
WITH
  rows AS (
    SELECT trim("user") AS user_id, trim(song) AS song_id, try_cast(trim(plays) AS DOUBLE) AS plays, trim(plays) AS written FROM plays
  ),
  pairs AS (
    SELECT user_id, song_id, sum(plays) AS plays
    FROM rows
    WHERE isfinite(plays) AND plays >= 0
    GROUP BY user_id, song_id
  ),
  often AS (
    SELECT
      *,
      plays >= getvariable('minimum_plays') AS is_often,
      count(*) FILTER (is_often) OVER own AS songs,
      avg(plays) FILTER (is_often) OVER own AS mean_plays
    FROM pairs
    WINDOW own AS (PARTITION BY user_id)
  ),
  judged AS (
    SELECT
      user_id, song_id, plays::VARCHAR AS plays,
      CASE
        WHEN NOT is_often THEN 'few plays'
        WHEN songs < getvariable('minimum_songs') THEN 'few songs'
        WHEN getvariable('above_mean') = 1 AND plays < mean_plays THEN 'below mean'
      END AS left_out
    FROM often
    UNION ALL
    SELECT user_id, song_id, written, 'no number' FROM rows WHERE plays IS NULL OR NOT isfinite(plays) OR plays < 0
  ),
  texts AS (
    SELECT regexp_replace(trim(song_id), '^b''(.*)''$', '\1') AS song_id, unnest(['title', 'artist']) AS property, unnest([title, artist_name]) AS written
    FROM (SELECT * FROM songs UNION ALL BY NAME SELECT NULL::VARCHAR AS artist_name WHERE false) -- a table without artists will do
  ),
  decoded AS (
    SELECT
      song_id, property,
      CASE
        WHEN regexp_full_match(written, 'b(''.*''|".*")')
        THEN TRY(decode(replace(replace(written[3:-2], '\''', ''''), '\"', '"')::BLOB))
        ELSE written
      END AS value
    FROM texts
  ),
  names AS (
    SELECT song_id, min(value) FILTER (property = 'title') AS title, min(value) FILTER (property = 'artist') AS artist
    FROM decoded
    GROUP BY song_id
  )
SELECT user_id, song_id, plays, title, artist, left_out
FROM judged LEFT JOIN names USING (song_id)
ORDER BY user_id, song_id, plays
