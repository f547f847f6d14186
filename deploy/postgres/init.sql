-- Run once by the postgres image, when its volume is empty, as the superuser. Three roles:
-- the owner of the tables (migrations), the restricted login (web, worker, beat) that row-level security holds, and the
-- owner of the search function. The same without passwords stands in lendconsole/devstack/bootstrap.py.
\set ON_ERROR_STOP on
\getenv owner_password DATABASE_OWNER_PASSWORD
\getenv app_password DATABASE_PASSWORD

CREATE ROLE lendconsole_owner LOGIN PASSWORD :'owner_password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE ROLE lendconsole_app LOGIN PASSWORD :'app_password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE ROLE lendconsole_search NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
GRANT lendconsole_search TO lendconsole_owner WITH INHERIT TRUE, SET TRUE;

CREATE DATABASE lendconsole OWNER lendconsole_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C.UTF-8';
REVOKE CONNECT, TEMPORARY ON DATABASE lendconsole FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE lendconsole TO lendconsole_app;

\connect lendconsole
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS btree_gist;
