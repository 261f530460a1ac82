-- The seven features of a table `events` of EVENT_DTYPE's integer columns, in ($now - $days days, $now].
-- Kinds: 1 charge, 2 refund, 3 dispute, 4 early fraud warning. Statuses: 1 succeeded, 2 failed, 7 prevented, 8 inquiry.
-- Only what every engine has: no subquery in an aggregate, no named window, one row from each side of a cross join.
WITH recent AS (
    SELECT "at" AS moment, settled, source, card, kind, status, settled_currency, country
    FROM events
    WHERE "at" > $now - $days * 86400 AND "at" <= $now
),
currencies AS (
    SELECT settled_currency AS code, count(*) AS payments
    FROM recent
    WHERE kind = 1 AND status = 1
    GROUP BY settled_currency
),
most AS (
    SELECT max(payments) AS payments FROM currencies
),
main AS (
    SELECT min(currencies.code) AS code
    FROM currencies INNER JOIN most ON currencies.payments = most.payments
),
totals AS (
    SELECT
        count(CASE WHEN kind = 1 AND status = 1 THEN 1 END) AS payments,
        count(CASE WHEN kind = 1 AND status IN (1, 2) THEN 1 END) AS attempts,
        count(CASE WHEN kind = 1 AND status = 2 THEN 1 END) AS declines,
        count(CASE WHEN kind = 3 AND status NOT IN (7, 8) THEN 1 END) AS disputes,
        count(CASE WHEN kind = 4 THEN 1 END) AS warnings,
        coalesce(sum(CASE WHEN kind = 1 AND status = 1 AND settled_currency = main.code THEN settled END), 0) AS volume,
        coalesce(sum(CASE WHEN kind = 2 AND status = 1 AND settled_currency = main.code THEN settled END), 0) AS refunded
    FROM recent CROSS JOIN main
),
attempts AS (
    SELECT
        moment,
        lag(moment) OVER (PARTITION BY card ORDER BY moment, source) AS previous_moment,
        lag(status) OVER (PARTITION BY card ORDER BY moment, source) AS previous_status
    FROM recent
    WHERE kind = 1 AND status IN (1, 2) AND card <> 0
),
again AS (
    SELECT count(*) AS retries FROM attempts WHERE previous_status = 2 AND moment - previous_moment <= 3600
),
countries AS (
    SELECT count(*) AS payments FROM recent WHERE kind = 1 AND status = 1 AND country <> 0 GROUP BY country
),
located AS (
    SELECT sum(payments) AS payments FROM countries
),
shares AS (
    SELECT CAST(countries.payments AS DOUBLE) / CAST(located.payments AS DOUBLE) AS share
    FROM countries CROSS JOIN located
),
geography AS (
    SELECT coalesce(-sum(share * ln(share)), 0.0) AS entropy FROM shares
)
SELECT
    payments,
    volume,
    coalesce(CAST(declines AS DOUBLE) / nullif(attempts, 0), 0.0) AS decline_rate,
    coalesce(CAST(disputes AS DOUBLE) / nullif(payments, 0), 0.0) AS dispute_activity,
    coalesce(CAST(refunded AS DOUBLE) / nullif(volume, 0), 0.0) AS refund_rate,
    coalesce(CAST(warnings AS DOUBLE) / nullif(payments, 0), 0.0) AS fraud_warning_rate,
    coalesce(CAST(retries AS DOUBLE) / nullif(attempts, 0), 0.0) AS retry_pressure,
    entropy AS geographic_entropy
FROM totals CROSS JOIN again CROSS JOIN geography
