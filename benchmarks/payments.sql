-- Payments as wide as real ones: :rows of them, the same on every server.
CREATE TYPE payment_status AS ENUM ('authorised', 'captured', 'settled', 'refunded', 'failed');
CREATE TABLE payments (
    payment_id bigint PRIMARY KEY, payment_ref uuid NOT NULL, account_id uuid NOT NULL,
    amount numeric(12, 2) NOT NULL, fee numeric(12, 2), currency char(3) NOT NULL, status payment_status NOT NULL,
    reference text, description text, metadata jsonb, created_at timestamptz NOT NULL, settled_at timestamptz
);
INSERT INTO payments
SELECT n, md5('r' || n)::uuid, md5('a' || n % 100000)::uuid, (n * 7919 % 1000000) / 100.0,
    CASE WHEN n % 3 > 0 THEN (n * 31 % 1000) / 100.0 END, (ARRAY['EUR', 'USD', 'GBP', 'CHF'])[1 + n % 4],
    (ARRAY['authorised', 'captured', 'settled', 'refunded', 'failed'])[1 + n % 5]::payment_status,
    CASE WHEN n % 10 > 0 THEN 'INV-' || n || '-' || n * 17 % 9973 END,
    CASE WHEN n % 4 > 0 THEN 'Zahlung für Auftrag ' || n || ' über Händler ' || n % 5000 END,
    jsonb_build_object(
        'channel', (ARRAY['web', 'pos', 'app'])[1 + n % 3], 'score', n % 1000 / 10.0, '3ds', n % 2 = 0,
        'ip', '10.' || n % 256 || '.' || n % 199 || '.7'
    ),
    timestamptz '2026-01-01' + n * interval '1.37 s', CASE WHEN n % 6 > 0 THEN timestamptz '2026-01-02' + n * interval '1.41 s' END
FROM generate_series(1::bigint, :rows) AS n;
VACUUM ANALYZE payments;
