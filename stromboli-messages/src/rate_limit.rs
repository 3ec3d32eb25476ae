//! How much of the account's limits is used.

use crate::{
    Number,
    wire::{message, open_enum, record},
};

message! {
    /// The account's limits have changed.
    pub struct RateLimitEvent ["type" = "rate_limit_event"] {
        /// How they are now.
        rate_limit_info: RateLimitInfo;
    }
}

record! {
    /// How much of the account's limits is used.
    pub struct RateLimitInfo {
        /// Whether requests are allowed.
        status: RateLimitStatus;
        /// When the limit starts anew, in seconds since 1970.
        resets_at: Number = "resetsAt";
        /// Which limit it is.
        rate_limit_type: RateLimitType = "rateLimitType";
        /// How much of it is used, where 1 is all.
        utilization: Number;
        /// Whether requests beyond the limit are allowed.
        overage_status: RateLimitStatus = "overageStatus";
        /// When the limit beyond the limit starts anew, in seconds since 1970.
        overage_resets_at: Number = "overageResetsAt";
        /// Why requests beyond the limit are not allowed.
        overage_disabled_reason: String = "overageDisabledReason";
        /// Whether the limit was passed.
        is_using_overage: bool = "isUsingOverage";
        /// Whether requests beyond the limit are being used.
        overage_in_use: bool = "overageInUse";
        /// Whether they may be.
        overage_enabled: bool = "overageEnabled";
        /// The part of the limit whose passing is reported.
        surpassed_threshold: Number = "surpassedThreshold";
        /// Whose limit it is.
        limit_scope: LimitScope = "limitScope";
        /// What would help, as `credits_required`.
        error_code: String = "errorCode";
        /// Whether the user can buy credits.
        can_user_purchase_credits: bool = "canUserPurchaseCredits";
        /// Whether there is a way to pay.
        has_chargeable_saved_payment_method: bool = "hasChargeableSavedPaymentMethod";
    }
}

open_enum! {
    /// Whether requests are allowed.
    pub enum RateLimitStatus {
        /// They are.
        Allowed = "allowed",
        /// They are, but the limit is near.
        AllowedWarning = "allowed_warning",
        /// They are not.
        Rejected = "rejected",
    }
}

open_enum! {
    /// Which limit it is.
    pub enum RateLimitType {
        /// That of five hours.
        FiveHour = "five_hour",
        /// That of seven days.
        SevenDay = "seven_day",
        /// That of seven days, for Opus.
        SevenDayOpus = "seven_day_opus",
        /// That of seven days, for Sonnet.
        SevenDaySonnet = "seven_day_sonnet",
        /// That of seven days, with what goes beyond.
        SevenDayOverageIncluded = "seven_day_overage_included",
        /// That of what goes beyond.
        Overage = "overage",
    }
}

open_enum! {
    /// Whose limit it is.
    pub enum LimitScope {
        /// The service's.
        Service = "service",
        /// The channel's.
        Channel = "channel",
        /// A group's.
        GroupPool = "group_pool",
    }
}
