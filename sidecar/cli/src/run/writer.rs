//! Records into files, and a line for each message that was not OK.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gear_abi::Message;
use gear_config::names;
use gear_host::log::{Masking, printable};
use gear_stream::memory::Emitted;
use tokio_util::sync::CancellationToken;

use super::{GEAR, Problem, RACK, Records, RunArgs, create, json::Json};
use crate::exit::Failed;

/// What was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Records by port.
    pub(super) ports: BTreeMap<String, u64>,
    /// Dead letters by reason.
    pub(super) dead_letters: BTreeMap<String, u64>,
}

struct Files {
    format: Records,
    prefix: String,
    ports: BTreeMap<String, Box<dyn Write + Send>>,
    letters: Option<Box<dyn Write + Send>>,
    counts: Counts,
}

/// Writes what comes out.
pub(super) struct Writer {
    files: Arc<Mutex<Files>>,
    problem: Problem,
    stop: CancellationToken,
}

/// What a run wrote, to be asked when it is over.
pub(super) struct Tally(Arc<Mutex<Files>>);

impl Writer {
    pub(super) fn open(args: &RunArgs, problem: Problem, stop: CancellationToken) -> Result<Self, Failed> {
        let mut ports = BTreeMap::new();
        ports.insert(names::DEFAULT_PORT.to_owned(), create(&args.out)?);
        for (name, file) in &args.port {
            if ports.insert(name.clone(), create(Path::new(file))?).is_some() {
                return Err(Failed::usage(format!("--port {name}: this port has a file already")));
            }
        }
        let prefix = names::emission_prefix(RACK, GEAR) + ".";
        let letters = args.dead_letters.as_deref().map(create).transpose()?;
        let files = Files { format: args.format, prefix, ports, letters, counts: Counts::default() };
        Ok(Self { files: Arc::new(Mutex::new(files)), problem, stop })
    }

    pub(super) fn tally(&self) -> Tally {
        Tally(Arc::clone(&self.files))
    }

    /// What the run calls with everything that comes out.
    pub(super) fn into_emit(self) -> impl FnMut(Emitted) + Send + 'static {
        move |emitted| {
            let written = lock(&self.files).write(emitted);
            if let Err(error) = written {
                // Somebody like `head` has seen enough: the run ends, and that is no failure.
                if error.kind() != ErrorKind::BrokenPipe {
                    self.problem.set(Failed::fault(format!("output: {error}")));
                }
                self.stop.cancel();
            }
        }
    }
}

impl Tally {
    /// Writes what is still in buffers.
    pub(super) fn finish(&self) -> Result<(), Failed> {
        let mut files = lock(&self.0);
        let Files { ports, letters, .. } = &mut *files;
        for file in ports.values_mut().chain(letters) {
            match file.flush() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    return Err(Failed::fault(format!("output: {error}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn counts(&self) -> Counts {
        lock(&self.0).counts.clone()
    }
}

fn lock(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    fn write(&mut self, emitted: Emitted) -> io::Result<()> {
        match emitted {
            Emitted::Output { sequence, subject, payload, .. } => self.output(sequence, &subject, &payload),
            Emitted::DeadLetter { sequence, reason, detail, payload, .. } => {
                eprintln!("message {sequence}: {reason}: {}", printable(&detail, Masking::On));
                *self.counts.dead_letters.entry(reason).or_default() += 1;
                self.letters.as_mut().map_or(Ok(()), |file| file.write_all(&payload))
            }
        }
    }

    fn output(&mut self, sequence: u64, subject: &str, record: &[u8]) -> io::Result<()> {
        let port = subject.strip_prefix(&self.prefix).unwrap_or(subject);
        *self.counts.ports.entry(port.to_owned()).or_default() += 1;
        if port == names::ERROR_PORT {
            eprintln!("message {sequence}: Rejected: left by the port error");
        }
        let Some(file) = self.ports.get_mut(port) else { return Ok(()) };
        match self.format {
            Records::Cbor => file.write_all(record),
            Records::Jsonl => {
                let message = Message::decode(record).map_err(|error| io::Error::other(error.to_string()))?;
                serde_json::to_writer(&mut *file, &Json(message))?;
                file.write_all(b"\n")
            }
        }
    }
}
