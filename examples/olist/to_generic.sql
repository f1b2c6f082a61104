-- The Olist files as extracts in the generic layout: one view per entity in the schema generic.
-- The views of the schema olist are the files as they are, every CSV column as text:
-- leads, closed_deals, sellers, order_items.
--
-- Nothing is put in that the files do not say. There are no lost deals, no contacts, tasks, activities or
-- changes of fields, so these entities and columns are left out.

-- The won deals. won_date comes as 2018-02-26 19:58:54 or as 26-02-2018 19:58, depending on who saved the
-- file; any other form is an error, not a null. It is UTC: deals won "on a day" stand at 02:00 while Brazil
-- had summer time and at 03:00 after it, which is midnight there.
create view olist.wins as
select
    mql_id,
    seller_id,
    sdr_id,
    sr_id,
    strptime(won_date, ['%Y-%m-%d %H:%M:%S', '%d-%m-%Y %H:%M']) as won_at,
    business_segment,
    -- 0 stands where nothing was declared, in about 19 of 20 rows
    nullif(declared_monthly_revenue::decimal(18, 2), 0) as declared_monthly_revenue
from olist.closed_deals;

-- The first sale of each seller. The order itself bears no time here; shipping_limit_date, the day by which
-- the seller had to ship, follows it by some days.
create view olist.first_sales as
select
    seller_id,
    min(shipping_limit_date::timestamp) as first_sale_at
from olist.order_items
group by seller_id;

-- deals: every lead is a deal. The files know wins only: a lead that was not won by their end stays open.
-- The owner is the sales representative who closed the deal, so an open deal has none. An open lead has no
-- account: the files do not say which company it is, and two leads may be of one.
create view generic.deals as
select
    leads.mql_id as deal_id,
    wins.seller_id as account_id,
    wins.sr_id as owner_id,
    'olist' as pipeline,
    case when wins.mql_id is null then 'Lead' else 'Won' end as stage,
    case when wins.mql_id is null then 'open' else 'won' end as status,
    wins.declared_monthly_revenue as amount,
    case when wins.declared_monthly_revenue is not null then 'BRL' end as currency,
    -- 'unknown' is a value of the file; a missing origin stays missing
    leads.origin as channel,
    -- a day without a time
    leads.first_contact_date::timestamp as created_at,
    wins.won_at as closed_at
from olist.leads as leads
left join olist.wins as wins on leads.mql_id = wins.mql_id;

-- stage_changes: two moves at most, the first contact and the win. A win dated before its first contact
-- (there is one) goes through as it is.
create view generic.stage_changes as
select
    mql_id as deal_id,
    null::varchar as from_stage,
    'Lead' as to_stage,
    first_contact_date::timestamp as changed_at,
    null::varchar as changed_by
from olist.leads
union all
select
    mql_id as deal_id,
    'Lead' as from_stage,
    'Won' as to_stage,
    won_at as changed_at,
    sr_id as changed_by
from olist.wins;

-- accounts: the sellers that were won. The segment was written down at the win, the state is known only of
-- sellers that sold something: both follow from the outcome and must never be held against it.
create view generic.accounts as
select distinct
    wins.seller_id as account_id,
    sellers.seller_state as region,
    wins.business_segment as segment
from olist.wins as wins
left join olist.sellers as sellers on wins.seller_id = sellers.seller_id;

-- users: the representatives of the won deals. Some did both jobs; who closed a deal is in Sales.
create view generic.users as
select distinct
    sr_id as user_id,
    'Sales' as team
from olist.wins
where sr_id is not null
union all
select distinct
    sdr_id as user_id,
    'SDR' as team
from olist.wins
where
    sdr_id is not null
    and sdr_id not in (select sr_id from olist.wins where sr_id is not null);

-- stages: the only two the files tell apart.
create view generic.stages as
select
    'olist' as pipeline,
    'Lead' as stage,
    1 as position,
    'presale' as phase,
    false as is_won,
    false as is_lost
union all
select
    'olist' as pipeline,
    'Won' as stage,
    2 as position,
    null as phase,
    true as is_won,
    false as is_lost;

-- revenue_events: the first sale of a won seller is its first use of what was sold to it. The prices of its
-- orders are the seller's turnover, not money paid to Olist, so there are no invoices and no payments.
create view generic.revenue_events as
select
    wins.mql_id as deal_id,
    'first_use' as kind,
    first_sales.first_sale_at as occurred_at
from olist.wins as wins
inner join olist.first_sales as first_sales on wins.seller_id = first_sales.seller_id;

-- The day of the extract: the last one that any row above speaks of, so that nothing is dated after it.
-- Orders of other sellers do not count: a few of them have to be shipped years after all others.
create view olist.extract_day as
select max(moment)::date as extract_day
from (
    select changed_at as moment from generic.stage_changes
    union all
    select occurred_at as moment from generic.revenue_events
);
