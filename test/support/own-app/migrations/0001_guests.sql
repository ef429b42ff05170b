CREATE TABLE app.guests (name text PRIMARY KEY, token text NOT NULL);
