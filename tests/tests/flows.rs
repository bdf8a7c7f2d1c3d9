//! Call flows that RFCs print, with Liaison between the parties: the whole of every message is kept as a snapshot, and each flow is
//! played again in foul weather, with whatever may befall each of its messages.

mod flows {
    mod caught;
    mod counted;
    mod parts;
    mod rfc3665;
    mod rfc3725;
    mod rfc5359;
    mod rfc5359_forwarding;
    mod rfc5407;
    mod rfc5407_appendices;
    mod rfc5589;
    mod rfc5589_carried;
    mod sessions;
}
