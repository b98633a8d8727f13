//! End to end with the real component: user, AI agent's platform, bridge, Freshworks, human agent.

mod access;
mod acknowledged;
mod cast;
mod connecting;
mod fetching;
mod hosted;
mod kills;
mod mcp;
mod operations;
mod people;
mod ratings;
mod reading;
mod refused;
mod round;
mod standing;
mod tickets;
mod trouble;
mod watching;
