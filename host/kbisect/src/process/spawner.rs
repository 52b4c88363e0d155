//! The one thread that forks. It lives as long as the process, so that parent-death signals mean the process's death.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::process::Child;
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A command to start, the runtime that will wait for it, and where the child goes.
struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Starts `command` from the lasting thread, for the calling runtime.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    let gone = || io::Error::other("the thread that starts processes is gone");
    let requests = SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel();
        // Without the thread the receiver is dropped, and every request fails.
        let _ = std::thread::Builder::new().name("spawner".to_owned()).spawn(move || serve(&requests));
        sender
    });
    let (reply, answer) = oneshot::channel();
    requests.send(Request { command, runtime: Handle::current(), reply }).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn serve(requests: &mpsc::Receiver<Request>) {
    for mut request in requests {
        let _inside = request.runtime.enter();
        // Where nobody waits any more the child is dropped, and so killed.
        let _ = request.reply.send(request.command.spawn());
    }
}
