//! Waiting that is broken off where nobody wants any more what is waited for.

use tokio::sync::watch;

/// What is waited for; none once `stop` says `true`, or nobody is left to say it.
pub(super) async fn unless_stopped<T>(stop: &mut watch::Receiver<bool>, wait: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = wait => Some(done),
        _ = stop.wait_for(|stop| *stop) => None,
    }
}
