//! The program as people type it.

#[cfg(test)]
mod page;
#[cfg(test)]
mod project;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod run;
#[cfg(test)]
mod world;
