//! A queue that one task waits on and events fill.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Items in the order they came.
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

    /// The oldest item, if there is one.
    pub fn take(&self) -> Option<T> {
        self.inner.borrow_mut().items.pop_front()
    }

    /// Waits for the oldest item.
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
