"""AtroCore and its product module AtroPIM: product and master data. Written for core 1.1 to 2.3, in three dialects.

https://help.atrocore.com
"""
