-- The same number of rows, :rows, in three shapes.
CREATE TABLE narrow (id bigint PRIMARY KEY, amount numeric(12, 2) NOT NULL);
INSERT INTO narrow SELECT n, n % 100000 / 100.0 FROM generate_series(1::bigint, :rows) AS n;
CREATE TABLE documents (id bigint PRIMARY KEY, body jsonb NOT NULL);
INSERT INTO documents
SELECT n, (SELECT jsonb_object_agg('field' || f, jsonb_build_array(n, f, md5((n * f)::text), n % f = 0)) FROM generate_series(1, 20) AS f)
FROM generate_series(1::bigint, :rows) AS n;
CREATE TABLE by_uuid (id uuid PRIMARY KEY, amount numeric(12, 2) NOT NULL, note text);
INSERT INTO by_uuid SELECT md5(n::text)::uuid, n % 100000 / 100.0, 'note ' || n FROM generate_series(1::bigint, :rows) AS n;
SELECT 'CREATE TABLE wide (id bigint PRIMARY KEY, ' || string_agg('n' || c || ' numeric(12, 2), t' || c || ' text', ', ') || ')'
FROM generate_series(1, 20) AS c \gexec
SELECT 'INSERT INTO wide SELECT n, ' || string_agg('n * ' || c || ' % 100000 / 100.0, ''text '' || n + ' || c, ', ')
    || ' FROM generate_series(1::bigint, ' || :rows || ') AS n'
FROM generate_series(1, 20) AS c \gexec
VACUUM ANALYZE;
