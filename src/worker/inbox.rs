//! A queue that events fill and a single task reads.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A first-in, first-out queue.
pub struct Inbox<T> {
    inner: Rc<RefCell<Inner<T>>>,
}

struct Inner<T> {
    items: VecDeque<T>,
    waiting: Option<Waker>,
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> Inbox<T> {
    pub fn new() -> Self {
        Self { inner: Rc::new(RefCell::new(Inner { items: VecDeque::new(), waiting: None })) }
    }

    pub fn push(&self, item: T) {
        let waiting = {
            let mut inner = self.inner.borrow_mut();
            inner.items.push_back(item);
            inner.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Removes and returns the oldest item, if there is one.
    pub fn take(&self) -> Option<T> {
        self.inner.borrow_mut().items.pop_front()
    }

    /// Whether one of the items is like this.
    pub fn any(&self, like: impl Fn(&T) -> bool) -> bool {
        self.inner.borrow().items.iter().any(like)
    }

    /// Removes and returns the oldest item. Waits if the queue is empty.
    pub async fn next(&self) -> T {
        poll_fn(|context| {
            let mut inner = self.inner.borrow_mut();
            match inner.items.pop_front() {
                Some(item) => Poll::Ready(item),
                None => {
                    inner.waiting = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}
