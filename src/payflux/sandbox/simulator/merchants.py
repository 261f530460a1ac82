"""The cast of simulated merchants: one for each way in which an estimate can go wrong."""

from __future__ import annotations

from payflux.sandbox.simulator.model import Family, LagModel, MerchantModel, Spike

MODELS: dict[str, MerchantModel] = {
    model.name: model
    for model in (
        MerchantModel(
            name="steady-large", story="50 disputes a week.", payments_a_day=1_200, dispute_rate=((0, 0.006),)
        ),
        MerchantModel(name="steady-small", story="2 disputes a week.", payments_a_day=50, dispute_rate=((0, 0.006),)),
        MerchantModel(name="tiny", story="A dispute in two weeks.", payments_a_day=14, dispute_rate=((0, 0.005),)),
        MerchantModel(
            name="fast-lag",
            story="Digital goods: buyers see the charge at once.",
            payments_a_day=250,
            lag=LagModel(median=10, spread=0.9),
        ),
        MerchantModel(
            name="slow-lag",
            story="Goods made to order: buyers wait two months before they complain.",
            payments_a_day=250,
            lag=LagModel(median=61, spread=0.7),
            fraud_share=0.2,
        ),
        MerchantModel(
            name="memoryless-lag",
            story="A dispute is as likely tomorrow as today.",
            payments_a_day=250,
            lag=LagModel(median=30, spread=1.0, family=Family.WEIBULL),
        ),
        MerchantModel(
            name="rising",
            story="Disputes triple within five months.",
            payments_a_day=250,
            dispute_rate=((250, 0.004), (400, 0.012)),
        ),
        MerchantModel(
            name="step-up",
            story="A bad supplier from one day on: the rate doubles.",
            payments_a_day=250,
            dispute_rate=((329, 0.005), (330, 0.010)),
        ),
        MerchantModel(
            name="improving",
            story="3-D Secure everywhere from one day on: the rate halves.",
            payments_a_day=250,
            dispute_rate=((329, 0.010), (330, 0.005)),
        ),
        MerchantModel(
            name="fraud-burst",
            story="Ten days of stolen cards.",
            payments_a_day=250,
            dispute_rate=((349, 0.005), (350, 0.04), (359, 0.04), (360, 0.005)),
            spikes=(Spike(first_day=350, days=10, factor=1.3),),
            fraud_share=0.7,
        ),
        MerchantModel(name="seasonal", story="Half of the sales before Christmas.", payments_a_day=150, season=0.8),
        MerchantModel(
            name="growing", story="Sales grow by a fifth a month.", payments_a_day=40, growth=0.2, customers=20_000
        ),
        MerchantModel(name="declining", story="Sales fall by a tenth a month.", payments_a_day=500, growth=-0.1),
        MerchantModel(name="launch", story="Sells since three months.", payments_a_day=200, first_day=310),
        MerchantModel(
            name="sale-spike",
            story="A sale of five days at six times the usual level.",
            payments_a_day=200,
            spikes=(Spike(first_day=380, days=5, factor=6.0),),
        ),
    )
}
"""By name. Events of a rate path or a spike are set for a history of 400 days."""
