from .base import AyonLink as AyonLink, AyonOperator as AyonOperator
from .projects import AyonCreateProjectOperator as AyonCreateProjectOperator
