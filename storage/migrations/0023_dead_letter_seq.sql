-- Whether a message that was given up has come after all is asked by its number: a babbling device asks often.
create index dead_letter_seq on dead_letter (org, device, epoch, seq) where seq is not null;
