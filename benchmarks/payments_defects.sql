-- 70 defects of the kinds that migrations make, at places that a hash chooses.
CREATE TEMP TABLE picked AS
SELECT row_number() OVER () AS n, payment_id AS id
FROM (SELECT payment_id FROM payments ORDER BY md5(payment_id || 'x') LIMIT 65) AS q;
INSERT INTO payments
SELECT v.id, payment_ref, account_id, amount, fee, currency, status, reference, description, metadata, created_at, settled_at
FROM payments CROSS JOIN (VALUES (-1), (-2), (900000000), (900000001), (9223372036854775807)) AS v (id)
WHERE payment_id = 1;
UPDATE payments SET amount = amount + 0.01 FROM picked WHERE payment_id = id AND n <= 37;
DELETE FROM payments USING picked WHERE payment_id = id AND n BETWEEN 38 AND 48;
UPDATE payments SET description = coalesce(description, '') || ' ' FROM picked WHERE payment_id = id AND n IN (49, 50);
UPDATE payments SET description = 'Zu' || chr(776) || 'rich' FROM picked WHERE payment_id = id AND n = 51;
UPDATE payments SET reference = CASE WHEN reference IS NULL THEN '' END FROM picked WHERE payment_id = id AND n IN (52, 53);
UPDATE payments SET created_at = created_at + interval '1 us' FROM picked WHERE payment_id = id AND n BETWEEN 54 AND 57;
UPDATE payments SET metadata = metadata || '{"score": -1}' FROM picked WHERE payment_id = id AND n IN (58, 59);
UPDATE payments SET status = CASE status WHEN 'failed' THEN 'settled' ELSE 'failed' END::payment_status
FROM picked WHERE payment_id = id AND n = 60;
UPDATE payments SET amount = -amount - 1 FROM picked WHERE payment_id = id AND n IN (61, 62);
UPDATE payments SET reference = '<null>' FROM picked WHERE payment_id = id AND n = 63;
UPDATE payments SET reference = description || '|', description = 'x' || reference FROM picked WHERE payment_id = id AND n = 64;
UPDATE payments SET settled_at = CASE WHEN settled_at IS NULL THEN created_at END FROM picked WHERE payment_id = id AND n = 65;
