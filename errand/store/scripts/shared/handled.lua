-- An ended job counts as handled once it was replayed, and until it is run again: its field `handled` has the number of
-- the run that was replayed. Requests for many jobs leave handled ones out.
local function is_handled(handled, retries) return handled and handled == (retries or '0') end
