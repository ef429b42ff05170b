-- The example shop's own tables. Run at every start; each statement may run again.
CREATE SCHEMA IF NOT EXISTS shop;

CREATE TABLE IF NOT EXISTS shop.orders (
  id integer PRIMARY KEY,
  customer text NOT NULL,
  email text NOT NULL,
  items jsonb NOT NULL,
  total_cents integer NOT NULL CHECK (total_cents > 0),
  refunded_cents integer NOT NULL DEFAULT 0 CHECK (refunded_cents BETWEEN 0 AND total_cents)
);

CREATE TABLE IF NOT EXISTS shop.refunds (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id integer NOT NULL REFERENCES shop.orders,
  amount_cents integer NOT NULL CHECK (amount_cents > 0),
  reason text NOT NULL,
  idempotency_key text,
  booked_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS shop.emails (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  recipient text NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  idempotency_key text,
  sent_at timestamptz NOT NULL DEFAULT now()
);

-- Requests that arrived, duplicates and failures included: written apart from their effect.
CREATE TABLE IF NOT EXISTS shop.request_counts (
  endpoint text PRIMARY KEY,
  requests bigint NOT NULL DEFAULT 0
);

-- Written by the tool note_on_order, in its own transaction on this database.
CREATE TABLE IF NOT EXISTS shop.notes (
  order_id integer NOT NULL REFERENCES shop.orders,
  author text NOT NULL,
  note text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, author)
);

INSERT INTO shop.request_counts (endpoint) VALUES ('refunds'), ('emails') ON CONFLICT DO NOTHING;

INSERT INTO shop.orders (id, customer, email, items, total_cents) VALUES
  (1041, 'Ada Lovelace',      'ada@example.com',      '["espresso machine"]',               34900),
  (1042, 'Alan Turing',       'alan@example.com',     '["road bike helmet", "bike light"]', 28990),
  (1043, 'Grace Hopper',      'grace@example.com',    '["office chair"]',                   41950),
  (1044, 'Edsger Dijkstra',   'edsger@example.com',   '["fountain pen", "writing desk"]',   52500),
  (1045, 'Barbara Liskov',    'barbara@example.com',  '["headphones"]',                     27900),
  (1046, 'Donald Knuth',      'donald@example.com',   '["organ pedals"]',                   99500),
  (1047, 'Katherine Johnson', 'kat@example.com',      '["telescope"]',                      64900),
  (1048, 'Tony Hoare',        'tony@example.com',     '["winter coat"]',                    25990),
  (1049, 'Margaret Hamilton', 'margaret@example.com', '["model rocket", "bookshelf"]',      31275),
  (1050, 'Dennis Ritchie',    'dennis@example.com',   '["mechanical keyboard", "monitor"]', 45840)
ON CONFLICT DO NOTHING;
