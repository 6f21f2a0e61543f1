extension AgentStore {
    /// What a store did and decided.
    public struct Statistics: Sendable, Equatable {
        /// Check-outs by what they found: in memory; there because of a prefetch; warm; cold; nothing; something that cannot
        /// be used.
        public var hot = 0
        public var ready = 0
        public var warm = 0
        public var cold = 0
        public var absent = 0
        public var refused = 0
        /// Time that check-outs waited for blocks.
        public var waitSeconds = 0.0
        /// Agents evicted, bytes that this freed, and how many of them could not be saved before.
        public var evictions = 0
        public var evictedBytes = 0
        public var evictedUnsaved = 0
        /// Times that the budget was full and nobody could be evicted.
        public var noVictim = 0
        /// Prefetches that were asked for, that brought their agent into memory, that brought pages only since the budget
        /// was full, that a check-out had to wait for, that a check-out overtook, and whose agent was evicted unused.
        public var prefetches = 0
        public var prefetchedHot = 0
        public var prefetchedPages = 0
        public var prefetchWaits = 0
        public var prefetchesOvertaken = 0
        public var prefetchesWasted = 0
        public var prefetchSeconds = 0.0
        /// Saves done, bytes that they wrote, saves that a newer one replaced before they began, and saves that failed.
        public var saves = 0
        public var savedBytes = 0
        public var savesReplaced = 0
        public var savesFailed = 0
        public var saveSeconds = 0.0
    }
}
