-- samples/shop/schema.sql - the shop's tables.
CREATE TABLE IF NOT EXISTS product (id int PRIMARY KEY, name text NOT NULL, price_cents int NOT NULL);
INSERT INTO product SELECT n, 'product ' || n, 100 + n * 37 % 9000 FROM generate_series(1, 500) AS n ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, request_id text NOT NULL, product int NOT NULL, quantity int NOT NULL,
  at timestamptz NOT NULL DEFAULT now());
