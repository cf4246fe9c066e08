"""The language, the law, the tables and the packages of the platform; imports none of its three neighbours."""
