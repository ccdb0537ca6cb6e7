-- Flyway runs this each time a service starts, when the schema is up to date.
SELECT renew_arrival_generation();
