//! The thread that writes commits while the lane goes on stepping. One commit is in flight at a time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::commit::{Committer, Flight, Job};
use crate::database::Database;
use crate::{Durability, StoreError};

/// The stored size of each account, or why nothing was written.
pub(crate) type Written = Result<Vec<usize>, StoreError>;

pub(crate) struct Writer {
    database: Arc<Database>,
    /// `None` only while it is dropped: the thread ends with it.
    jobs: Option<SyncSender<Job>>,
    written: Receiver<Written>,
    thread: Option<JoinHandle<()>>,
    flight: Option<Arc<Flight>>,
}

impl Writer {
    pub(crate) fn start(database: &Arc<Database>, durability: Durability) -> Result<Self, StoreError> {
        let (jobs, taken) = sync_channel(1);
        let (told, written) = sync_channel(1);
        let committer = Committer::new(Arc::clone(database), durability);
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || write_all(committer, &taken, &told));
        let thread = thread.map_err(|error| StoreError::io("start the writing thread", &error))?;
        let database = Arc::clone(database);
        Ok(Self { database, jobs: Some(jobs), written, thread: Some(thread), flight: None })
    }

    /// Without a thread: the test takes each job and answers when it likes.
    #[cfg(test)]
    pub(crate) fn held(database: &Arc<Database>) -> (Self, Receiver<Job>, SyncSender<Written>) {
        let (jobs, taken) = sync_channel(1);
        let (told, written) = sync_channel(1);
        let database = Arc::clone(database);
        (Self { database, jobs: Some(jobs), written, thread: None, flight: None }, taken, told)
    }

    /// What is being written.
    pub(crate) fn flight(&self) -> Option<&Flight> {
        self.flight.as_deref()
    }

    /// Hands a commit over. The one before must have landed.
    pub(crate) fn send(&mut self, job: Job) -> Result<(), StoreError> {
        assert!(self.flight.is_none(), "one commit is in flight at a time");
        let flight = Arc::clone(&job.flight);
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(self.died());
        }
        self.flight = Some(flight);
        Ok(())
    }

    /// Waits for the flight and gives what it was, with the stored size of each account; `None`: there is none.
    pub(crate) fn land(&mut self) -> Result<Option<(Flight, Vec<usize>)>, StoreError> {
        let Some(flight) = self.flight.take() else { return Ok(None) };
        let Ok(written) = self.written.recv() else { return Err(self.died()) };
        let sizes = written?;
        // The thread lets go of it before it answers.
        Ok(Arc::into_inner(flight).map(|flight| (flight, sizes)))
    }

    fn died(&self) -> StoreError {
        self.database.seal("the writing thread died");
        self.database.check().err().unwrap_or_else(|| StoreError::corrupt("the writing thread died"))
    }
}

impl Drop for Writer {
    /// Waits until everything that was handed over is written.
    fn drop(&mut self) {
        self.jobs = None;
        // A panic of the thread was printed where it happened, and has sealed the shard.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn write_all(mut committer: Committer, jobs: &Receiver<Job>, told: &SyncSender<Written>) {
    while let Ok(job) = jobs.recv() {
        // Nobody listens any more where the store is being dropped.
        let _ = told.send(committer.write(job));
    }
}
