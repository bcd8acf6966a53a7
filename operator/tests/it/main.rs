//! The operator against a real API server with the chart's own rights, a real NATS server, and stand-ins for what a
//! cluster would add: a Deployment controller with a kubelet, and sidecars that answer `/status`.

#[cfg(test)]
mod at_rest;
#[cfg(test)]
mod chart;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod departure;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod leader;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod world;
