//! What customers and banks do, and what time does: everything that the program under test cannot ask for.

use serde_json::{Value, json};

use super::payments::Outcome;
use super::problem::Refused;
use super::proration::{self, Proration};
use super::state::Stripe;
use super::world::Kind;
use super::{billing, disputes, purchase, refunds, subscriptions};

type Done = Result<Value, Refused>;

impl Stripe {
    /// The customer pays in Checkout, by card. Answers the session as it is afterwards.
    ///
    /// # Errors
    ///
    /// If the session is not open, or the card is declined, which leaves it open.
    pub fn pay(&self, session: &str) -> Done {
        let mut world = self.world();
        purchase::pay(&mut world, session)?;
        Ok(world.copy(Kind::Session, session))
    }

    /// The customer completes Checkout by a means of payment that takes days: the session is complete and unpaid. Answers it.
    ///
    /// # Errors
    ///
    /// If the session is not open, or there is nothing to pay.
    pub fn pay_later(&self, session: &str) -> Done {
        let mut world = self.world();
        purchase::pay_later(&mut world, session)?;
        Ok(world.copy(Kind::Session, session))
    }

    /// Those days are over, and the payment came through or not. Answers the session.
    ///
    /// # Errors
    ///
    /// If the session waits for no payment.
    pub fn settle_later(&self, session: &str, ok: bool) -> Done {
        let mut world = self.world();
        purchase::settle_later(&mut world, session, if ok { Outcome::Succeeds } else { Outcome::Fails })?;
        Ok(world.copy(Kind::Session, session))
    }

    /// A session expires before its time. Answers it.
    ///
    /// # Errors
    ///
    /// If it is not open.
    pub fn expire(&self, session: &str) -> Done {
        let mut world = self.world();
        purchase::expire(&mut world, session)?;
        Ok(world.copy(Kind::Session, session))
    }

    /// Put the clock forward. Everything that is due until then happens, each thing at its time.
    pub fn advance(&self, seconds: u64) {
        let mut world = self.world();
        world.ahead_s = world.ahead_s.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        world.catch_up();
    }

    /// From now on the customer's card is declined, or is not.
    ///
    /// # Errors
    ///
    /// If there is no such customer.
    pub fn decline(&self, customer: &str, declines: bool) -> Result<(), Refused> {
        let mut world = self.world();
        world.find(Kind::Customer, customer, "customer")?;
        if declines {
            world.declining.insert(customer.to_owned());
        } else {
            world.declining.remove(customer);
        }
        Ok(())
    }

    /// An invoice that is open is collected again. Answers it.
    ///
    /// # Errors
    ///
    /// If it is not open, or the card is declined again.
    pub fn retry(&self, invoice: &str) -> Done {
        let mut world = self.world();
        billing::retry(&mut world, invoice)?;
        Ok(world.copy(Kind::Invoice, invoice))
    }

    /// The customer changes to another price in the portal, which is reckoned up and invoiced at once. Answers the subscription.
    ///
    /// # Errors
    ///
    /// If the subscription is over, or the price is not one for it.
    pub fn change_plan(&self, subscription: &str, price: &str) -> Done {
        let mut world = self.world();
        proration::change_plan(&mut world, subscription, price, Proration::Invoiced)?;
        Ok(world.copy(Kind::Subscription, subscription))
    }

    /// The customer cancels in the portal. Answers the subscription.
    ///
    /// # Errors
    ///
    /// If it is over.
    pub fn cancel(&self, subscription: &str, at_period_end: bool) -> Done {
        let mut world = self.world();
        subscriptions::living(&world, subscription)?;
        if at_period_end {
            subscriptions::cancel_at_period_end(&mut world, subscription);
        } else {
            subscriptions::cancel_now(&mut world, subscription)?;
        }
        Ok(world.copy(Kind::Subscription, subscription))
    }

    /// The customer takes a cancellation at the end of the period back. Answers the subscription.
    ///
    /// # Errors
    ///
    /// If it is over.
    pub fn keep(&self, subscription: &str) -> Done {
        let mut world = self.world();
        subscriptions::living(&world, subscription)?;
        subscriptions::resume(&mut world, subscription);
        Ok(world.copy(Kind::Subscription, subscription))
    }

    /// Money is given back in the dashboard: an amount, or all that is left. Answers the refund.
    ///
    /// # Errors
    ///
    /// If the charge has not that much left, was not paid, or is disputed.
    pub fn refund(&self, charge: &str, amount: Option<i64>) -> Done {
        let mut world = self.world();
        let id = refunds::refund(&mut world, charge, amount, None, &json!({}))?;
        Ok(world.copy(Kind::Refund, &id))
    }

    /// The customer's bank takes a charge back. Answers the dispute.
    ///
    /// # Errors
    ///
    /// If the charge was not paid, or is disputed already.
    pub fn dispute(&self, charge: &str) -> Done {
        let mut world = self.world();
        let id = disputes::dispute(&mut world, charge)?;
        Ok(world.copy(Kind::Dispute, &id))
    }

    /// The bank decides about a dispute. Answers it.
    ///
    /// # Errors
    ///
    /// If it is closed already.
    pub fn close_dispute(&self, dispute: &str, won: bool) -> Done {
        let mut world = self.world();
        disputes::close(&mut world, dispute, if won { "won" } else { "lost" })?;
        Ok(world.copy(Kind::Dispute, dispute))
    }

    /// An event is delivered once more, as it happens. Answers it.
    ///
    /// # Errors
    ///
    /// If there is no such event, or nowhere to deliver it to.
    pub fn redeliver(&self, event: &str) -> Done {
        let world = self.world();
        let found = world.events.iter().find(|known| known.id == event);
        let found = found.ok_or_else(|| Refused(format!("There is no event {event}.")))?;
        match &world.outbox {
            Some(outbox) if world.settings.webhook_url.is_some() => {
                // It fails only once the simulator ends.
                let _ = outbox.send(event.to_owned());
                Ok(json!(found))
            }
            _ => Err(Refused("There is no webhook.".to_owned())),
        }
    }

    /// The newest of a kind of object, such as `invoice` or `checkout.session`; nothing if there is none.
    pub fn latest(&self, object: &str) -> Option<Value> {
        self.world().newest(object).cloned()
    }

    /// An object as it is, by its kind and its id; nothing if there is none.
    pub fn object(&self, object: &str, id: &str) -> Option<Value> {
        self.world().named(object, id).cloned()
    }
}
