-- Who liked which book, cleaned as the article does, ISBNs of one title and author merged (DuckDB). Tables, with Book-Crossing's columns:
--   ratings: User-ID, ISBN, Book-Rating (1 to 10; 0 is "read, not rated" in the full data set)
--   books: ISBN, Book-Title, Book-Author
-- A rating stays at or above `minimum_rating`, of a reader with at least `minimum_books` such books; of several ratings of one book by one
-- reader the highest counts. The others come out too, with the reason in `left_out`, so that the recipe can count them.
-- A book goes by the ISBN of its edition with the most ratings; `isbns` has those of all its editions.
-- Titles and authors that were taken for Latin-1 once or twice ("JosÃ©" for "José") become text again, also where the second byte of
-- the first round is lost ("BÃ?Â¼cher"). A letter of which nothing is left ("Ã?") is ß inside a word, and else U+FFFD.
-- Letters up to U+00FF, and those that Windows-1252 has at 80 to 9F, as the bytes that they were.
CREATE TEMPORARY MACRO as_bytes(t) AS translate(t, '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ', list_aggregate(list_transform(
  string_split('80 82 83 84 85 86 87 88 89 8A 8B 8C 8E 91 92 93 94 95 96 97 98 99 9A 9B 9C 9E 9F', ' '),
  lambda code: chr(('0x' || code)::INTEGER)), 'string_agg', ''));

-- One round: these bytes as UTF-8, where they are some; else the text as it is.
CREATE TEMPORARY MACRO mended(t) AS coalesce(
  CASE WHEN regexp_matches(as_bytes(t), '[\x{80}-\x{ff}]') AND NOT regexp_matches(as_bytes(t), '[^\x{00}-\x{ff}]')
  THEN TRY(decode(list_aggregate(list_transform(string_split(as_bytes(t), ''),
    lambda c: CASE WHEN unicode(c) < 128 AND c <> '\' THEN c ELSE printf('\x%02X', unicode(c)) END), 'string_agg', '')::BLOB)) END,
  t);

WITH
  written AS (
    SELECT
      upper(trim(ISBN)) AS isbn,
      unnest(['title', 'author']) AS property,
      unnest([regexp_replace(trim("Book-Title"), '\s+', ' ', 'g'), regexp_replace(trim("Book-Author"), '\s+', ' ', 'g')]) AS value
    FROM books
    WHERE trim(ISBN) <> ''
  ),
  once AS (
    SELECT isbn, property, mended(value) AS value FROM written
  ),
  lost AS (
    SELECT isbn, property, replace(regexp_replace(replace(value, 'Ã?Â', 'Ã'), '(\p{Ll})Ã\?', '\1Ã' || chr(159), 'g'), 'Ã?', chr(26)) AS value FROM once
  ),
  twice AS (
    SELECT isbn, property, mended(value) AS value FROM lost
  ),
  names AS (
    SELECT
      isbn,
      min(replace(value, chr(26), chr(65533))) FILTER (property = 'title') AS title,
      min(replace(value, chr(26), chr(65533))) FILTER (property = 'author') AS author
    FROM twice
    GROUP BY isbn
  ),
  -- Titles are compared without case, accents and marks, authors without spaces too ("C. S. Lewis", "C.S. Lewis").
  keys AS (
    SELECT
      *,
      trim(regexp_replace(strip_accents(lower(title)), '[^\p{L}\p{N}]+', ' ', 'g')) AS same_title,
      regexp_replace(strip_accents(lower(author)), '[^\p{L}\p{N}]+', '', 'g') AS same_author,
      CASE WHEN same_title = '' OR same_author = '' THEN isbn ELSE same_title || '|' || same_author END AS book
    FROM names
  ),
  rows AS (
    SELECT trim("User-ID") AS user_id, upper(trim(ISBN)) AS rated, trim("Book-Rating") AS written, try_cast(written AS DOUBLE) AS rating
    FROM ratings
  ),
  rated AS (
    SELECT user_id, coalesce(book, rated) AS book, rated, title, author, written, rating,
      coalesce(rating BETWEEN 1 AND 10, false) AS in_scale
    FROM rows LEFT JOIN keys ON isbn = rated
  ),
  editions AS (
    SELECT book, rated, count(*) AS ratings, any_value(title) AS title, any_value(author) AS author FROM rated WHERE in_scale GROUP BY book, rated
  ),
  merged AS (
    SELECT
      book,
      first(rated ORDER BY ratings DESC, rated) AS isbn,
      first(title ORDER BY ratings DESC, rated) AS title,
      first(author ORDER BY ratings DESC, rated) AS author
    FROM editions
    GROUP BY book
  ),
  all_isbns AS (
    SELECT book, string_agg(isbn, ' ' ORDER BY isbn) AS isbns FROM keys GROUP BY book
  ),
  best AS (
    SELECT user_id, book, max(rating) AS rating FROM rated WHERE in_scale GROUP BY user_id, book
  ),
  liked AS (
    SELECT
      *,
      rating >= getvariable('minimum_rating') AS is_liked,
      count(*) FILTER (is_liked) OVER (PARTITION BY user_id) AS books
    FROM best
  ),
  judged AS (
    SELECT user_id, book, rating::VARCHAR AS rating,
      CASE WHEN NOT is_liked THEN 'low rating' WHEN books < getvariable('minimum_books') THEN 'few books' END AS left_out
    FROM liked
    UNION ALL
    SELECT user_id, book, written, 'out of scale' FROM rated WHERE NOT in_scale
  )
SELECT user_id, coalesce(isbn, book) AS isbn, rating, title, author, coalesce(isbns, isbn) AS isbns, left_out
FROM judged LEFT JOIN merged USING (book) LEFT JOIN all_isbns USING (book)
ORDER BY user_id, isbn, rating
