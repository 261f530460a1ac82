-- The seven features of a table `events` of EVENT_DTYPE's integer columns, in ($now - $days days, $now].
-- Kinds: 1 charge, 2 refund, 3 dispute, 4 early fraud warning. Statuses: 1 succeeded, 2 failed, 7 prevented, 8 inquiry.
WITH recent AS (
    SELECT "at" AS moment, settled, source, card, kind, status, settled_currency, country
    FROM events
    WHERE "at" > $now - $days * 86400 AND "at" <= $now
),
main AS (
    SELECT settled_currency AS code
    FROM recent
    WHERE kind = 1 AND status = 1
    GROUP BY settled_currency
    ORDER BY count(*) DESC, settled_currency
    LIMIT 1
),
totals AS (
    SELECT
        count(*) FILTER (WHERE kind = 1 AND status = 1) AS payments,
        count(*) FILTER (WHERE kind = 1 AND status IN (1, 2)) AS attempts,
        count(*) FILTER (WHERE kind = 1 AND status = 2) AS declines,
        count(*) FILTER (WHERE kind = 3 AND status NOT IN (7, 8)) AS disputes,
        count(*) FILTER (WHERE kind = 4) AS warnings,
        coalesce(sum(settled) FILTER (
            WHERE kind = 1 AND status = 1 AND settled_currency = (SELECT code FROM main)), 0) AS volume,
        coalesce(sum(settled) FILTER (
            WHERE kind = 2 AND status = 1 AND settled_currency = (SELECT code FROM main)), 0) AS refunded
    FROM recent
),
attempts AS (
    SELECT
        moment,
        lag(moment) OVER attempt AS previous_moment,
        lag(status) OVER attempt AS previous_status
    FROM recent
    WHERE kind = 1 AND status IN (1, 2) AND card <> 0
    WINDOW attempt AS (PARTITION BY card ORDER BY moment, source)
),
retries AS (
    SELECT count(*) AS retries FROM attempts WHERE previous_status = 2 AND moment - previous_moment <= 3600
),
countries AS (
    SELECT count(*) AS payments FROM recent WHERE kind = 1 AND status = 1 AND country <> 0 GROUP BY country
),
geography AS (
    SELECT coalesce(-sum(share * ln(share)), 0.0) AS entropy
    FROM (SELECT payments * 1.0 / sum(payments) OVER () AS share FROM countries) AS shares
)
SELECT
    payments,
    volume,
    coalesce(declines / CAST(nullif(attempts, 0) AS DOUBLE), 0) AS decline_rate,
    coalesce(disputes / CAST(nullif(payments, 0) AS DOUBLE), 0) AS dispute_activity,
    coalesce(refunded / CAST(nullif(volume, 0) AS DOUBLE), 0) AS refund_rate,
    coalesce(warnings / CAST(nullif(payments, 0) AS DOUBLE), 0) AS fraud_warning_rate,
    coalesce(retries / CAST(nullif(attempts, 0) AS DOUBLE), 0) AS retry_pressure,
    entropy AS geographic_entropy
FROM totals, retries, geography
